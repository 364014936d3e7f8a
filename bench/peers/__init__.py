"""The others, as their own users would use them, and the floors: the least that kernel and network allow."""
