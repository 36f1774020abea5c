/*
 * midplane_testing.h - drives a plugin in a unit test, without a host. Link the test with the plugin's source.
 *
 *   midplane_bench bench;
 *   midplane_bench_begin(&bench, "{\"greeting\":\"Hi\"}");
 *   midplane_bench_answer(&bench, "call", MIDPLANE_OK, "7");
 *   assert(midplane_bench_call(&bench, "greet", "Ada") == MIDPLANE_OK);
 *   assert(midplane_bench_replied(&bench, "Hi, Ada!"));
 *   midplane_bench_end(&bench);
 *
 * The host that the plugin sees answers with what the test says. Without that, state (in memory), configuration, log,
 * clocks, chance, publishing, subscribing and metrics are answered as a host does, and everything else is
 * `not_supported`. One thread; times to live end nothing here.
 */
#ifndef MIDPLANE_TESTING_H
#define MIDPLANE_TESTING_H

#include "midplane_json.h"

#include <stdio.h>
#include <time.h>

/* A named thing in a list: an answer of the test, a key of the state, or what was asked. */
typedef struct midplane_note {
  struct midplane_note *next;
  midplane_status status;
  midplane_buffer name;
  midplane_buffer args;
  midplane_buffer bytes;
} midplane_note;

typedef struct midplane_bench {
  /* First: the host that a plugin gets is the bench. */
  midplane_host host;
  midplane_call call;
  const midplane_plugin_table *plugin;
  void *instance;
  midplane_buffer config;
  /* What the last call or hook has replied, or why it failed: its code, its message, and its data as JSON. */
  midplane_buffer reply;
  midplane_buffer code;
  midplane_buffer message;
  midplane_buffer data;
  int recoverable;
  midplane_note *answers;
  midplane_note *state;
  /* What the plugin has asked, the latest first. */
  midplane_note *asked;
} midplane_bench;

/* Since a midplane_call says only what its host is. */
static inline midplane_bench *midplane_bench_of(const midplane_call *call) { return (midplane_bench *)call->host; }

static inline void midplane_bench_put(midplane_buffer *buffer, const void *bytes, size_t len) {
  midplane_buffer_free(buffer);
  midplane_buffer_add(buffer, bytes, len);
}

static inline int midplane_bench_same(const midplane_buffer *buffer, const void *bytes, size_t len) {
  return buffer->len == len && (len == 0 || memcmp(buffer->data, bytes, len) == 0);
}

static inline midplane_note *midplane_bench_find(midplane_note *list, const void *name, size_t len) {
  while (list != NULL && !midplane_bench_same(&list->name, name, len)) {
    list = list->next;
  }
  return list;
}

static inline midplane_note *midplane_bench_note(midplane_note **list, const void *name, size_t len) {
  midplane_note *made = (midplane_note *)calloc(1, sizeof(midplane_note));
  if (made == NULL) {
    fputs("midplane_testing.h: no memory\n", stderr);
    abort();
  }
  midplane_buffer_add(&made->name, name, len);
  made->next = *list;
  return *list = made;
}

static inline void midplane_bench_drop(midplane_note **list, midplane_note *one) {
  while (*list != NULL && *list != one) {
    list = &(*list)->next;
  }
  if (one != NULL && *list == one) {
    *list = one->next;
    midplane_buffer_free(&one->name);
    midplane_buffer_free(&one->args);
    midplane_buffer_free(&one->bytes);
    free(one);
  }
}

static inline midplane_status midplane_bench_write(midplane_call *call, const uint8_t *data, size_t len) {
  midplane_buffer_add(&midplane_bench_of(call)->reply, data, len);
  return MIDPLANE_OK;
}

static inline void midplane_bench_fail(midplane_call *call, const char *code, size_t code_len, const char *message,
                                       size_t message_len, int32_t recoverable, const char *data, size_t data_len) {
  midplane_bench *bench = midplane_bench_of(call);
  midplane_bench_put(&bench->code, code, code_len);
  midplane_bench_put(&bench->message, message, message_len);
  midplane_bench_put(&bench->data, data, data_len);
  bench->recoverable = recoverable != 0;
}

/* An error record as the host's answer. */
static inline midplane_status midplane_bench_refuse(const char *code, const char *message, midplane_buffer *answer) {
  midplane_buffer_add(answer, "{\"code\":", 8);
  midplane_buffer_add_json(answer, code);
  midplane_buffer_add(answer, ",\"message\":", 11);
  midplane_buffer_add_json(answer, message);
  midplane_buffer_add(answer, "}", 1);
  return MIDPLANE_ERROR;
}

static inline midplane_status midplane_bench_stored(midplane_bench *bench, const char *verb, midplane_note *asked,
                                                    midplane_buffer *answer) {
  midplane_buffer key = {NULL, 0, 0, 0}, other = {NULL, 0, 0, 0};
  midplane_status status = MIDPLANE_OK;
  midplane_note *found;
  int expects, writes = strcmp(verb, "set") == 0;
  midplane_json_text(midplane_json_member(asked->args.data, asked->args.len, "key"), &key);
  found = midplane_bench_find(bench->state, key.data, key.len);
  if (strcmp(verb, "get") == 0) {
    if (found == NULL) {
      status = midplane_bench_refuse("key_not_found", "the state has no value for this key", answer);
    } else {
      midplane_buffer_add(answer, found->bytes.data, found->bytes.len);
    }
  } else if (strcmp(verb, "compare_and_set") == 0) {
    expects = midplane_json_text(midplane_json_member(asked->args.data, asked->args.len, "expected"), &other);
    writes = expects ? found != NULL && midplane_bench_same(&found->bytes, other.data, other.len) : found == NULL;
    midplane_buffer_add(answer, writes ? "true" : "false", writes ? 4 : 5);
  } else if (strcmp(verb, "delete") == 0) {
    midplane_bench_drop(&bench->state, found);
  } else if (strcmp(verb, "list") == 0) {
    midplane_json_text(midplane_json_member(asked->args.data, asked->args.len, "prefix"), &other);
    midplane_buffer_add(answer, "[", 1);
    for (found = bench->state; found != NULL; found = found->next) {
      if (found->name.len >= other.len && (other.len == 0 || memcmp(found->name.data, other.data, other.len) == 0)) {
        midplane_buffer text = {NULL, 0, 0, 0};
        midplane_buffer_add(&text, found->name.data, found->name.len);
        midplane_buffer_add(&text, "", 1);
        midplane_buffer_add(answer, ",", answer->len == 1 ? 0 : 1);
        midplane_buffer_add_json(answer, (const char *)text.data);
        midplane_buffer_free(&text);
      }
    }
    midplane_buffer_add(answer, "]", 1);
  }
  if (writes) {
    found = found == NULL ? midplane_bench_note(&bench->state, key.data, key.len) : found;
    midplane_bench_put(&found->bytes, asked->bytes.data, asked->bytes.len);
  }
  midplane_buffer_free(&key);
  midplane_buffer_free(&other);
  return status;
}

static inline midplane_status midplane_bench_random(midplane_note *asked, midplane_buffer *answer) {
  midplane_json bytes = midplane_json_member(asked->args.data, asked->args.len, "bytes");
  unsigned long count = bytes.text == NULL ? 0 : strtoul(bytes.text, NULL, 10);
  if (count > 65536) {
    return midplane_bench_refuse("limit_exceeded", "at most 65536 random bytes at once", answer);
  }
  while (count-- > 0) {
    uint8_t byte = (uint8_t)(rand() >> 4);
    midplane_buffer_add(answer, &byte, 1);
  }
  return MIDPLANE_OK;
}

static inline midplane_status midplane_bench_built_in(midplane_bench *bench, const char *function, midplane_note *asked,
                                                      midplane_buffer *answer) {
  static const char *const quiet[] = {"log", "bus.publish", "bus.subscribe", "bus.unsubscribe", "metrics.count",
                                      "metrics.gauge", "metrics.observe"};
  static const char *const stored[] = {"get", "set", "compare_and_set", "delete", "list"};
  char text[48];
  size_t i;
  for (i = 0; i < sizeof quiet / sizeof *quiet; i++) {
    if (strcmp(function, quiet[i]) == 0) {
      return MIDPLANE_OK;
    }
  }
  for (i = 0; i < sizeof stored / sizeof *stored; i++) {
    if (strncmp(function, "state.", 6) == 0 && strcmp(function + 6, stored[i]) == 0) {
      return midplane_bench_stored(bench, stored[i], asked, answer);
    }
  }
  if (strcmp(function, "config.get") == 0) {
    midplane_buffer key = {NULL, 0, 0, 0};
    midplane_json whole = {(const char *)bench->config.data, bench->config.len};
    if (midplane_json_text(midplane_json_member(asked->args.data, asked->args.len, "key"), &key)) {
      midplane_buffer_add(&key, "", 1);
      whole = midplane_json_member(whole.text, whole.len, (const char *)key.data);
    }
    midplane_buffer_free(&key);
    midplane_buffer_add(answer, whole.text == NULL ? "null" : whole.text, whole.text == NULL ? 4 : whole.len);
    return MIDPLANE_OK;
  }
  if (strcmp(function, "random") == 0) {
    return midplane_bench_random(asked, answer);
  }
  if (strcmp(function, "time.now") == 0) {
    time_t now = time(NULL);
    midplane_buffer_add(answer, text, strftime(text, sizeof text, "\"%Y-%m-%dT%H:%M:%SZ\"", gmtime(&now)));
    return MIDPLANE_OK;
  }
  if (strcmp(function, "time.monotonic") == 0) {
    int len = snprintf(text, sizeof text, "%.0f", (double)clock() / CLOCKS_PER_SEC * 1e9);
    midplane_buffer_add(answer, text, (size_t)len);
    return MIDPLANE_OK;
  }
  return midplane_bench_refuse("not_supported", "the test bench has no answer to this function", answer);
}

static inline midplane_status midplane_bench_host_call(const midplane_host *host, midplane_call *call,
                                                       const char *function, size_t function_len, const char *args,
                                                       size_t args_len, const uint8_t *payload, size_t payload_len,
                                                       midplane_sink sink, void *context) {
  midplane_bench *bench = (midplane_bench *)host;
  midplane_note *said = midplane_bench_find(bench->answers, function, function_len);
  midplane_note *asked = midplane_bench_note(&bench->asked, function, function_len);
  midplane_buffer answer = {NULL, 0, 0, 0}, name = {NULL, 0, 0, 0};
  midplane_status status;
  (void)call;
  midplane_buffer_add(&asked->args, args_len == 0 ? "{}" : args, args_len == 0 ? 2 : args_len);
  midplane_buffer_add(&asked->bytes, payload, payload_len);
  if (said != NULL) {
    status = said->status;
    midplane_buffer_add(&answer, said->bytes.data, said->bytes.len);
  } else {
    midplane_buffer_add(&name, function, function_len);
    midplane_buffer_add(&name, "", 1);
    status = midplane_bench_built_in(bench, (const char *)name.data, asked, &answer);
  }
  if (sink != NULL) {
    sink(context, answer.data, answer.len);
  }
  midplane_buffer_free(&answer);
  midplane_buffer_free(&name);
  return status;
}

/* Before each call or hook: nothing of the one before is left. */
static inline midplane_call *midplane_bench_fresh(midplane_bench *bench) {
  midplane_buffer_free(&bench->reply);
  midplane_buffer_free(&bench->code);
  midplane_buffer_free(&bench->message);
  midplane_buffer_free(&bench->data);
  bench->recoverable = 0;
  return &bench->call;
}

/* What the host answers to a function from now on: bytes, or with MIDPLANE_ERROR a record {"code", "message"}. */
static inline void midplane_bench_answer(midplane_bench *bench, const char *function, midplane_status status,
                                         const char *answer) {
  midplane_note *said = midplane_bench_note(&bench->answers, function, strlen(function));
  said->status = status;
  midplane_buffer_add(&said->bytes, answer, strlen(answer));
}

/* Runs a hook of the plugin's table: midplane_bench_hook(&bench, bench.plugin->plugin_init, "{}"). */
static inline midplane_status midplane_bench_hook(midplane_bench *bench, midplane_hook hook, const char *input) {
  midplane_call *call = midplane_bench_fresh(bench);
  return hook == NULL ? MIDPLANE_OK : hook(bench->instance, (const uint8_t *)input, strlen(input), call);
}

/* Makes an instance named "test" of the plugin in this program; no hook has run. `config` is what config.get answers. */
static inline midplane_status midplane_bench_begin(midplane_bench *bench, const char *config) {
  midplane_instance_info info = {sizeof info, 0, 1, "test", 4, "0.0.0", 5};
  memset(bench, 0, sizeof *bench);
  bench->host.size = sizeof bench->host;
  bench->host.abi_major = MIDPLANE_ABI_MAJOR;
  bench->host.abi_minor = MIDPLANE_ABI_MINOR;
  bench->host.reply_write = midplane_bench_write;
  bench->host.error_set = midplane_bench_fail;
  bench->host.host_call = midplane_bench_host_call;
  bench->call.size = sizeof bench->call;
  bench->call.host = &bench->host;
  bench->plugin = midplane_plugin();
  midplane_buffer_add(&bench->config, config, strlen(config));
  if (bench->plugin->plugin_create == NULL) {
    return MIDPLANE_OK;
  }
  return bench->plugin->plugin_create(&bench->host, &info, &bench->call, &bench->instance);
}

/* Calls an action by its name: the reply is in bench->reply, why it failed in bench->code and bench->message. */
static inline midplane_status midplane_bench_call(midplane_bench *bench, const char *action, const char *input) {
  midplane_call *call = midplane_bench_fresh(bench);
  int32_t number = bench->plugin->plugin_resolve_action(action, strlen(action));
  if (number < 0) {
    return midplane_fail(call, "action_not_found", action);
  }
  return bench->plugin->plugin_call(bench->instance, number, (const uint8_t *)input, strlen(input), call);
}

/* Whether the last call has replied just this. */
static inline int midplane_bench_replied(const midplane_bench *bench, const char *text) {
  return midplane_bench_same(&bench->reply, text, strlen(text));
}

/* Whether the last call has failed with this code. */
static inline int midplane_bench_failed(const midplane_bench *bench, const char *code) {
  return midplane_bench_same(&bench->code, code, strlen(code));
}

/* The latest question about a function, with its args and bytes; NULL where nobody asked. */
static inline const midplane_note *midplane_bench_asked(const midplane_bench *bench, const char *function) {
  return midplane_bench_find(bench->asked, function, strlen(function));
}

/* Ends the instance and frees what the bench holds. */
static inline void midplane_bench_end(midplane_bench *bench) {
  if (bench->instance != NULL && bench->plugin->plugin_destroy != NULL) {
    bench->plugin->plugin_destroy(bench->instance);
  }
  midplane_bench_fresh(bench);
  midplane_buffer_free(&bench->config);
  while (bench->answers != NULL) {
    midplane_bench_drop(&bench->answers, bench->answers);
  }
  while (bench->state != NULL) {
    midplane_bench_drop(&bench->state, bench->state);
  }
  while (bench->asked != NULL) {
    midplane_bench_drop(&bench->asked, bench->asked);
  }
}

#endif
