// What Go calls of C; see table.c.
#ifndef MIDPLANE_GO_BRIDGE_H
#define MIDPLANE_GO_BRIDGE_H

#include "midplane.h"

#include <pthread.h>

// The answer of midplane_go_write to a goroutine that is not the call's own.
#define MIDPLANE_GO_STRANGER 77

typedef struct {
  uint8_t *data;
  size_t len;
} midplane_go_answer;

midplane_status midplane_go_ask(const midplane_host *host, midplane_call *call, pthread_t owner, const char *function,
                                size_t function_len, const char *args, size_t args_len, const uint8_t *payload,
                                size_t payload_len, midplane_go_answer *answer);
midplane_status midplane_go_write(midplane_call *call, pthread_t owner, const uint8_t *data, size_t len);
void midplane_go_fail(midplane_call *call, const char *code, size_t code_len, const char *message, size_t message_len,
                      int32_t recoverable, const char *data, size_t data_len);

#endif
