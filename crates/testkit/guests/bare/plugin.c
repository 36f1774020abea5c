/* A plugin without any hook, in C. Its one action answers with what the host says to `config.get` of `color`. */
#include "midplane_plugin.h"

static midplane_status color(void *instance, const uint8_t *input, size_t len, midplane_call *call) {
  midplane_buffer answer = {NULL, 0, 0, 0};
  midplane_status status;
  (void)instance, (void)input, (void)len;
  status = midplane_ask(call, "config.get", "{\"key\":\"color\"}", NULL, 0, &answer);
  status = status == MIDPLANE_OK ? midplane_reply(call, answer.data, answer.len)
                                 : midplane_fail(call, "not_told", "the host does not say which color");
  midplane_buffer_free(&answer);
  return status;
}

static const midplane_action actions[] = {{"color", color}};
/* Which plugin it is, its manifest says. */
MIDPLANE_PLUGIN("", "1.0.0", actions)
