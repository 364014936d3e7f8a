"""The extension in Blender's window: what a user sees and clicks, and how smooth the window stays."""
