/* The interfaces of the files that run one command, in addition to those in rdo.h. One section per file. */
#ifndef RELAY_H
#define RELAY_H

#include "rdo.h"

struct relay;

/* outbox.c: what is waiting to be sent to the master. */
struct outbox {
    int socket;
    struct bytes waiting;
    size_t sent; /* of the waiting bytes */
    int pipe[2];
    size_t piped, piped_at; /* bytes in the pipe, and their position among the waiting bytes */
};

void outbox_send(struct outbox *outbox, char kind, const void *payload, size_t size);
void outbox_send_piped(struct outbox *outbox, char kind, size_t size);
void outbox_flush(struct outbox *outbox);
bool outbox_is_empty(const struct outbox *outbox);

/* splice.c: long streams, relayed within the kernel. */
struct splice {
    bool is_refused, awaits_room;
};

bool splice_is_due(const struct splice *splice, const struct decoder *decoder);
size_t splice_read_size(const struct splice *splice, const struct decoder *decoder, size_t size);
void splice_output(struct splice *splice, int socket, struct decoder *decoder);
ssize_t splice_input(struct outbox *outbox, size_t size);
ssize_t splice_send(const struct outbox *outbox);

/* input.c: sends stdin to the master. */
struct input {
    bool is_open, is_terminal;
    bool hangs_up;              /* the end of input means that the terminal is gone */
    bool ends_with_interrupt;   /* Ctrl-C was the last key, while the terminal was raw */
    bool is_long, is_unspliced; /* a long stream; one that has to be read */
    uint64_t credit, resting_until;
};

void input_start(struct input *input, bool hangs_up);
void input_leave(struct input *input);
bool input_is_wanted(const struct input *input, const struct outbox *outbox);
int input_timeout(struct input *input);
void input_send(struct input *input, struct outbox *outbox);

/* foreground.c: signals and terminal modes while a command runs. */
struct foreground {
    struct outbox *outbox;
    struct window window;
    bool has_pty, takes_keys;
    bool is_foreign;   /* as in the request */
    bool is_signalled; /* by what should end the command, and nothing came from the master since */
};

void foreground_enter(struct foreground *foreground, bool ptyless);
void foreground_act(struct foreground *foreground, int number);
void foreground_stop_all(const struct foreground *foreground);
bool foreground_awaits_terminal(const struct foreground *foreground);
void foreground_take_terminal(struct foreground *foreground);

/* watch.c: whether the master still reads while a command runs. */
struct watch {
    uint64_t lived, next; /* when the master was last known to be alive, and when to check again */
    bool is_doubtful, is_told;
};

void watch_note_reply(struct relay *relay);
bool watch_is_on(const struct relay *relay);
void watch_look(struct relay *relay);

/* relay.c: the state of a command. */
enum state { REQUESTED = 1, ACCEPTED = 2, STARTED = 4, FINISHED = 8 };

struct relay {
    enum state state;
    struct relay_result *result;
    const struct request *request;
    const char *path;
    struct decoder decoder;
    struct outbox outbox;
    struct input input;
    struct foreground foreground;
    struct splice splice;
    struct watch watch;
    struct frame output; /* not yet completely written */
    struct bytes notice; /* the notice, if it is one */
    int output_fd;
    bool is_reader_gone, has_shown, is_over;
    bool is_notice_withheld; /* because another program has the screen */
    bool is_drawn_on;        /* the pty shows the alternate screen */
    bool is_within_line;     /* the cursor of the pty is within a line */
};

/* replies.c: acts on each frame. */
void relay_end(struct relay *relay, int status);
void relay_fail(struct relay *relay, const char *what, const char *why, const char *hint);
void relay_refuse(struct relay *relay, const char *why);
void relay_give_up(struct relay *relay);
bool relay_show_seconds(struct relay *relay, const char *text, uint64_t ms);
void relay_act(struct relay *relay, const struct frame *frame);

#endif
