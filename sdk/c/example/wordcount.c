/*
 * Counts lines, words and bytes of its input, as wc(1) does, and how many calls this instance has answered.
 */
#define MIDPLANE_ON_CREATE create
#define MIDPLANE_ON_DESTROY destroy
#define MIDPLANE_ON_HEALTH_CHECK health
#include "midplane_plugin.h"

#include <ctype.h>
#include <stdio.h>

typedef struct counter {
  unsigned long calls;
} counter;

static midplane_status create(const midplane_host *host, const midplane_instance_info *info, midplane_call *call,
                              void **instance) {
  (void)host, (void)info;
  *instance = calloc(1, sizeof(counter));
  return *instance == NULL ? midplane_fail(call, "out_of_memory", "no memory for an instance") : MIDPLANE_OK;
}

static void destroy(void *instance) { free(instance); }

static midplane_status health(void *instance, const uint8_t *input, size_t len, midplane_call *call) {
  char reply[96];
  (void)input, (void)len;
  snprintf(reply, sizeof reply, "{\"status\":\"healthy\",\"details\":{\"calls\":%lu}}", ((counter *)instance)->calls);
  return midplane_reply_text(call, reply);
}

static midplane_status count(void *instance, const uint8_t *input, size_t len, midplane_call *call) {
  unsigned long lines = 0, words = 0;
  int inside = 0;
  size_t i;
  char reply[128];
  for (i = 0; i < len; i++) {
    int space = isspace(input[i]);
    lines += input[i] == '\n';
    words += !space && !inside;
    inside = !space;
  }
  ((counter *)instance)->calls++;
  snprintf(reply, sizeof reply, "{\"lines\":%lu,\"words\":%lu,\"bytes\":%lu}", lines, words, (unsigned long)len);
  return midplane_reply_text(call, reply);
}

static const midplane_action actions[] = {{"count", count}};
MIDPLANE_PLUGIN("example.wordcount", "1.0.0", actions)
