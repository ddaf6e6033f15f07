/* SPDX-License-Identifier: MIT
 *
 * loop.h: one stack, its devices, and the program that uses it, in one thread.
 *
 *     host_loop_init(&loop, stack, &(struct host_loop_params){.on_events = act, .user = me});
 *     int iface = host_loop_add_driver(&loop, driver);
 *     pl_addr_add(stack, iface, ...); pl_listen(stack, ...);
 *     host_loop_run(&loop);            // until host_loop_stop, which a signal handler may call
 *     host_loop_fini(&loop);
 */
#ifndef OS_HOST_LOOP_H
#define OS_HOST_LOOP_H

#include <signal.h>
#include <parley/driver.h>

#define HOST_LOOP_DRIVERS_MAX 8
#define HOST_LOOP_WATCHES_MAX 16
#define HOST_LOOP_BATCH 32

/* Called when there may be events: takes them with pl_event_next and acts. Returns whether it did anything; it is called again until it
 * and all devices have nothing more to do. It must take all events, or the loop does not come to rest. */
typedef bool host_events_fn(void *user);
/* The device of `iface` is gone. The interface and its addresses are removed already, its connections have failed with PL_ENETDOWN;
 * `driver` is closed when this returns. */
typedef void host_lost_fn(void *user, int iface, struct pl_driver *driver, int error);
/* A watched descriptor is ready; revents as of poll(2). */
typedef void host_watch_fn(void *user, int fd, short revents);

struct host_loop_params {
    host_events_fn *on_events;            /* NULL: events are taken and forgotten */
    host_lost_fn *on_lost;                /* may be NULL */
    void *user;
};

struct host_port {
    struct pl_driver *driver;             /* NULL: free */
    int iface;
    bool readable;                        /* recv had frames last time, or poll says so */
    bool writable;                        /* false: the device is full; the stack's interface is not ready, `stash` holds what it left */
    struct host_stash *stash;             /* frames that pl_tx gave and the device did not take, oldest first */
};

struct host_loop {
    pl_stack *stack;
    struct host_loop_params params;
    struct host_port port[HOST_LOOP_DRIVERS_MAX];
    struct host_watch {
        int fd;                           /* -1: free */
        short events;
        host_watch_fn *fn;
        void *user;
    } watch[HOST_LOOP_WATCHES_MAX];
    int wake_fd;                          /* an eventfd: ends the sleep */
    volatile sig_atomic_t stopping;
    pl_time now;                          /* of the last door */
    unsigned busy_turns;                  /* since descriptors were last asked about */
    struct pl_frame frames[HOST_LOOP_BATCH];
    uint8_t header[HOST_LOOP_BATCH][PL_HEADER_BYTES_MAX];
    uint64_t turns, sleeps, lost;         /* lost: frames for which no memory was left while a device was full */
};

/* Returns 0 or PL_EIO (no descriptor left). The stack stays the caller's. */
int host_loop_init(struct host_loop *, pl_stack *, const struct host_loop_params *);
/* Closes all drivers. */
void host_loop_fini(struct host_loop *);
/* Adds an interface to the stack for this driver, which belongs to the loop from then on. Returns the interface's number; PL_ENOMEM, or
 * what pl_iface_add says; on error the driver stays the caller's. */
int host_loop_add_driver(struct host_loop *, struct pl_driver *);
/* The driver of an interface; NULL: none. */
struct pl_driver *host_loop_driver(const struct host_loop *, int iface);
/* Calls fn when poll(2) says one of `events` of fd; again for the same fd: changes it. PL_ENOMEM: all places are taken. */
int host_loop_watch(struct host_loop *, int fd, short events, host_watch_fn *, void *user);
void host_loop_unwatch(struct host_loop *, int fd);

/* One turn: frames in, timers, frames out and events until both are quiet; then, if there was nothing to do, sleeps until the stack's next
 * deadline, a device, a watched descriptor, or `timeout` nanoseconds (0: does not sleep; PL_NEVER: no limit), and takes one more turn.
 * Returns 1: something was done, 0: nothing was, PL_EIO: poll(2) failed. */
int host_loop_run_once(struct host_loop *, pl_time timeout);
/* Turns until host_loop_stop. Returns 0 or PL_EIO. */
int host_loop_run(struct host_loop *);
/* Ends host_loop_run after the turn under way, and any sleep. May be called by a signal handler and by another thread. */
void host_loop_stop(struct host_loop *);

#endif
