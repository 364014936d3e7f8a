/* The kernel's limit: one blocking connect after the other to each PORT, at both loopback addresses.
   Prints the milliseconds that they took, and how many were open. All is done twice, and the second time counts: what
   it is compared with is warm, too. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int is_open(int family, int port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr *name = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    int descriptor = socket(family, SOCK_STREAM, 0);
    int failed = connect(descriptor, name, family == AF_INET ? sizeof v4 : sizeof v6);
    close(descriptor);
    return !failed;
}

int main(int count, char **words)
{
    struct timespec began, ended;
    int found = 0;
    for (int turn = 0; turn < 2; turn++) {
        found = 0;
        clock_gettime(CLOCK_MONOTONIC, &began);
        for (int i = 1; i < count; i++)
            found += is_open(AF_INET, atoi(words[i]));
        for (int i = 1; i < count; i++)
            found += is_open(AF_INET6, atoi(words[i]));
        clock_gettime(CLOCK_MONOTONIC, &ended);
    }
    printf("%.4f %d\n", (ended.tv_sec - began.tv_sec) * 1e3 + (ended.tv_nsec - began.tv_nsec) / 1e6, found);
    return 0;
}
