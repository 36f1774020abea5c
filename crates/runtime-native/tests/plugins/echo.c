/* A plugin in C for the tests: built several times, with another ANSWER. */
#ifndef ANSWER
#define ANSWER "one"
#endif
#define MIDPLANE_ON_CREATE create
#define MIDPLANE_ON_DESTROY destroy
#define MIDPLANE_ON_INIT init
#include "midplane_plugin.h"

typedef struct state {
  const midplane_host *host;
  int calls;
} state;

static midplane_status create(const midplane_host *host, const midplane_instance_info *info, midplane_call *call,
                              void **instance) {
  state *made = (state *)calloc(1, sizeof(state));
  (void)info, (void)call;
  made->host = host;
  *instance = made;
  return MIDPLANE_OK;
}

static void destroy(void *instance) { free(instance); }

static midplane_status init(void *instance, const uint8_t *input, size_t len, midplane_call *call) {
  (void)instance, (void)call;
  if (len == 2 && memcmp(input, "{}", 2) == 0) {
    return MIDPLANE_OK;
  }
  return midplane_fail(call, "bad_config", "only {} will do");
}

static midplane_status answer(void *instance, const uint8_t *input, size_t len, midplane_call *call) {
  (void)instance, (void)input, (void)len;
  return midplane_reply_text(call, ANSWER);
}

static midplane_status echo(void *instance, const uint8_t *input, size_t len, midplane_call *call) {
  (void)instance;
  return midplane_reply(call, input, len);
}

static midplane_status fail(void *instance, const uint8_t *input, size_t len, midplane_call *call) {
  const char *data = "{\"door\":3}";
  (void)instance, (void)input, (void)len;
  call->host->error_set(call, "no_such_guest", 13, "nobody is at the door", 21, 1, data, strlen(data));
  return MIDPLANE_ERROR;
}

static midplane_status ask(void *instance, const uint8_t *input, size_t len, midplane_call *call) {
  midplane_buffer answer = {NULL, 0, 0, 0};
  char function[65] = {0};
  midplane_status status;
  (void)instance;
  memcpy(function, input, len < 64 ? len : 64);
  midplane_log(call, "info", "asking \"the\" host\n");
  midplane_ask(call, function, "{}", "payload", 7, &answer);
  status = midplane_reply(call, answer.data, answer.len);
  midplane_buffer_free(&answer);
  return status;
}

static midplane_status background(void *instance, const uint8_t *input, size_t len, midplane_call *call) {
  const midplane_host *host = ((state *)instance)->host;
  (void)input, (void)len, (void)call;
  return host->host_call(host, NULL, "random", 6, "", 0, NULL, 0, NULL, NULL);
}

/* What a plugin must not do, one letter each. */
static midplane_status hostile(void *instance, const uint8_t *input, size_t len, midplane_call *call) {
  const midplane_host *host = call->host;
  (void)instance;
  switch (len == 0 ? 0 : input[0]) {
  case 'n':
    return host->reply_write(call, NULL, 5);
  case 'l':
    return host->reply_write(call, input, (size_t)-1);
  case 'i':
    host->reply_write(call, NULL, 5);
    return MIDPLANE_OK;
  case 'e':
    host->error_set(call, NULL, (size_t)-1, NULL, 7, 0, NULL, (size_t)-1);
    return MIDPLANE_ERROR;
  case 'u':
    host->error_set(call, "\xff\xfe", 2, "\xff", 1, 0, "{not json", 9);
    return MIDPLANE_ERROR;
  case 'h':
    return host->host_call(host, call, NULL, 4, NULL, (size_t)-1, NULL, (size_t)-1, NULL, NULL);
  case 's':
    return 42;
  case 'q':
    return MIDPLANE_ERROR;
  default:
    return MIDPLANE_OK;
  }
}

static const midplane_action actions[] = {{"answer", answer}, {"echo", echo},       {"fail", fail},
                                          {"ask", ask},       {"hostile", hostile}, {"background", background}};
MIDPLANE_PLUGIN("test.echo", "1.0.0", actions)
