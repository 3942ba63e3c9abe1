/* Load for an echo server: one message in flight on each connection.
 *
 *     echo_load PORT CONNECTIONS BYTES SECONDS
 *
 * It prints one JSON object: round trips and bytes a second, and round-trip times in microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, PIECE = 1 << 20, MOST_TIMES = 20000000 };

struct connection {
    int fd;
    size_t sent, received; /* of the message under way */
    double since;
    int waits; /* for room to send */
};

static char out[PIECE], in[PIECE];
static int set;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static int by_size(const void *one, const void *other) {
    float a = *(const float *)one, b = *(const float *)other;
    return (a > b) - (a < b);
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* Send what the kernel takes; wait for room only while some is left. */
static void push(struct connection *one, size_t size) {
    while (one->sent < size) {
        size_t left = size - one->sent;
        ssize_t count = send(one->fd, out, left < PIECE ? left : PIECE, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) break;
        if (count < 0) fail("send");
        one->sent += count;
    }
    int waits = one->sent < size;
    if (waits != one->waits) {
        struct epoll_event event = {.events = EPOLLIN | (waits ? EPOLLOUT : 0), .data.ptr = one};
        epoll_ctl(set, EPOLL_CTL_MOD, one->fd, &event);
        one->waits = waits;
    }
}

int main(int count, char **words) {
    if (count != 5) return fprintf(stderr, "echo_load PORT CONNECTIONS BYTES SECONDS\n"), 2;
    int connections = atoi(words[2]);
    size_t size = atol(words[3]), times = 0;
    double seconds = atof(words[4]), bytes = 0;
    struct connection *all = calloc(connections, sizeof *all);
    float *took = malloc(sizeof *took * MOST_TIMES);
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(out, 'x', sizeof out);
    set = epoll_create1(0);
    for (int i = 0; i < connections; i++) {
        struct connection *one = &all[i];
        int yes = 1;
        one->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(one->fd, (void *)&server, sizeof server)) fail("connect");
        setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        fcntl(one->fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
        epoll_ctl(set, EPOLL_CTL_ADD, one->fd, &event);
    }
    double start = now(), end = start + seconds;
    for (int i = 0; i < connections; i++) {
        all[i].since = now();
        push(&all[i], size);
    }
    struct epoll_event events[EVENTS];
    while (now() < end) {
        int ready = epoll_wait(set, events, EVENTS, 100);
        for (int i = 0; i < ready; i++) {
            struct connection *one = events[i].data.ptr;
            ssize_t got = 0;
            while (one->received < size && (got = recv(one->fd, in, PIECE, 0)) > 0) {
                one->received += got;
                bytes += got;
                if (got < PIECE) break;
            }
            if (!got && events[i].events & EPOLLIN) return fprintf(stderr, "early end\n"), 1;
            if (got < 0 && errno != EAGAIN) fail("recv");
            if (one->received >= size) {
                double time = now();
                if (times < MOST_TIMES) took[times++] = (time - one->since) * 1e6;
                one->received = one->sent = 0;
                one->since = time;
            }
            push(one, size);
        }
    }
    double lasted = now() - start;
    qsort(took, times, sizeof *took, by_size);
#define AT(part) (times ? took[(size_t)(times * (part))] : 0)
    printf("{\"round_trips\": %.1f, \"bytes\": %.0f, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f}\n",
           times / lasted, bytes / lasted, AT(.5), AT(.99), AT(.999));
}
