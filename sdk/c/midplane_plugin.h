/*
 * midplane_plugin.h - write Midplane plugins in C99 or C++, header only. Needs midplane.h beside it (-I contract).
 *
 *   #include "midplane_plugin.h"
 *
 *   static midplane_status echo(void *self, const uint8_t *input, size_t len, midplane_call *call) {
 *     (void)self;
 *     return midplane_reply(call, input, len);
 *   }
 *
 *   static const midplane_action actions[] = {{"echo", echo}};
 *   MIDPLANE_PLUGIN("example.echo", "1.0.0", actions)
 *
 * Hooks, and instances with state, are functions that are named before the #include:
 *
 *   #define MIDPLANE_ON_CREATE create     midplane_status create(const midplane_host *, const midplane_instance_info *,
 *                                                                midplane_call *, void **instance)
 *   #define MIDPLANE_ON_DESTROY destroy   void destroy(void *instance)
 *   #define MIDPLANE_ON_INIT init         all others: midplane_status hook(void *instance, const uint8_t *input,
 *                                                                          size_t len, midplane_call *call)
 *
 * In C++ an exception that leaves an action is caught and reported as a panic. One that leaves a hook ends the process.
 */
#ifndef MIDPLANE_PLUGIN_H
#define MIDPLANE_PLUGIN_H

#include "midplane.h"

#include <stdlib.h>
#include <string.h>

#if defined(__cplusplus) && defined(__cpp_exceptions)
#include <exception>
#endif

/* A hook that nobody named does not exist. */
#ifndef MIDPLANE_ON_CREATE
#define MIDPLANE_ON_CREATE 0
#endif
#ifndef MIDPLANE_ON_DESTROY
#define MIDPLANE_ON_DESTROY 0
#endif
#ifndef MIDPLANE_ON_VALIDATE_CONFIG
#define MIDPLANE_ON_VALIDATE_CONFIG 0
#endif
#ifndef MIDPLANE_ON_INIT
#define MIDPLANE_ON_INIT 0
#endif
#ifndef MIDPLANE_ON_START
#define MIDPLANE_ON_START 0
#endif
#ifndef MIDPLANE_ON_STOP
#define MIDPLANE_ON_STOP 0
#endif
#ifndef MIDPLANE_ON_CLEANUP
#define MIDPLANE_ON_CLEANUP 0
#endif
#ifndef MIDPLANE_ON_HEALTH_CHECK
#define MIDPLANE_ON_HEALTH_CHECK 0
#endif
#ifndef MIDPLANE_ON_PING
#define MIDPLANE_ON_PING 0
#endif
#ifndef MIDPLANE_ON_GET_CONFIG
#define MIDPLANE_ON_GET_CONFIG 0
#endif
#ifndef MIDPLANE_ON_UPDATE_CONFIG
#define MIDPLANE_ON_UPDATE_CONFIG 0
#endif
#ifndef MIDPLANE_ON_EVENT
#define MIDPLANE_ON_EVENT 0
#endif
#ifndef MIDPLANE_ON_DEPENDENCY_CHANGED
#define MIDPLANE_ON_DEPENDENCY_CHANGED 0
#endif
#ifndef MIDPLANE_ON_EXPORT_STATE
#define MIDPLANE_ON_EXPORT_STATE 0
#endif
#ifndef MIDPLANE_ON_IMPORT_STATE
#define MIDPLANE_ON_IMPORT_STATE 0
#endif
#ifndef MIDPLANE_ON_MIGRATE
#define MIDPLANE_ON_MIGRATE 0
#endif
#ifndef MIDPLANE_ON_MIGRATE_BACK
#define MIDPLANE_ON_MIGRATE_BACK 0
#endif

/* An action: its name (letters, digits and _ . : / @ # -), and what runs it. */
typedef struct midplane_action {
  const char *name;
  midplane_hook run;
} midplane_action;

/* Appends bytes to the reply, or hands on a chunk of it. Return its status when it is not MIDPLANE_OK. */
static inline midplane_status midplane_reply(midplane_call *call, const void *data, size_t len) {
  return call->host->reply_write(call, (const uint8_t *)data, len);
}

/* midplane_reply of a text that ends in zero. */
static inline midplane_status midplane_reply_text(midplane_call *call, const char *text) {
  return midplane_reply(call, text, strlen(text));
}

/* Fails: return midplane_fail(call, "not_found", "there is no such thing"); `code` is the plugin's own. */
static inline midplane_status midplane_fail(midplane_call *call, const char *code, const char *message) {
  call->host->error_set(call, code, strlen(code), message, strlen(message), 0, "", 0);
  return MIDPLANE_ERROR;
}

/* Bytes that grow. Begin with {0, 0, 0, 0}, end with midplane_buffer_free. */
typedef struct midplane_buffer {
  uint8_t *data;
  size_t len;
  size_t capacity;
  /* Not 0 when memory ran out: the content is then incomplete. */
  int failed;
} midplane_buffer;

/* Appends to a buffer. */
static inline void midplane_buffer_add(midplane_buffer *buffer, const void *data, size_t len) {
  if (buffer->failed || len == 0) {
    return;
  }
  if (len > buffer->capacity - buffer->len) {
    size_t capacity = buffer->capacity < 64 ? 64 : buffer->capacity;
    uint8_t *grown;
    while (capacity - buffer->len < len) {
      if (capacity > (size_t)-1 / 2) {
        buffer->failed = 1;
        return;
      }
      capacity *= 2;
    }
    grown = (uint8_t *)realloc(buffer->data, capacity);
    if (grown == NULL) {
      buffer->failed = 1;
      return;
    }
    buffer->data = grown;
    buffer->capacity = capacity;
  }
  memcpy(buffer->data + buffer->len, data, len);
  buffer->len += len;
}

/* Frees what a buffer holds; it can be used again. */
static inline void midplane_buffer_free(midplane_buffer *buffer) {
  free(buffer->data);
  memset(buffer, 0, sizeof *buffer);
}

/* Appends a text as a JSON string, with its quotes. */
static inline void midplane_buffer_add_json(midplane_buffer *buffer, const char *text) {
  static const char digits[] = "0123456789abcdef";
  midplane_buffer_add(buffer, "\"", 1);
  for (; *text != '\0'; text++) {
    unsigned char byte = (unsigned char)*text;
    char escaped[6] = {'\\', 'u', '0', '0', '0', '0'};
    if (byte == '"' || byte == '\\') {
      escaped[1] = (char)byte;
      midplane_buffer_add(buffer, escaped, 2);
    } else if (byte < 0x20) {
      escaped[4] = digits[byte >> 4];
      escaped[5] = digits[byte & 15];
      midplane_buffer_add(buffer, escaped, 6);
    } else {
      midplane_buffer_add(buffer, &byte, 1);
    }
  }
  midplane_buffer_add(buffer, "\"", 1);
}

/* A midplane_sink whose context is a midplane_buffer. */
static inline void midplane_collect(void *buffer, const uint8_t *data, size_t len) {
  midplane_buffer_add((midplane_buffer *)buffer, data, len);
}

/*
 * Asks the host: a function of the host API, its arguments as a JSON object, its bytes. The answer (or, when the result
 * is not MIDPLANE_OK, the error as JSON) is appended to `answer`, which may be NULL.
 */
static inline midplane_status midplane_ask(midplane_call *call, const char *function, const char *args,
                                           const void *payload, size_t len, midplane_buffer *answer) {
  midplane_sink sink = answer == NULL ? NULL : midplane_collect;
  return call->host->host_call(call->host, call, function, strlen(function), args, strlen(args),
                               (const uint8_t *)payload, len, sink, answer);
}

/* Writes a line to the plugin's log: level "trace", "debug", "info", "warn" or "error". */
static inline void midplane_log(midplane_call *call, const char *level, const char *message) {
  midplane_buffer args = {NULL, 0, 0, 0};
  midplane_buffer_add(&args, "{\"level\":", 9);
  midplane_buffer_add_json(&args, level);
  midplane_buffer_add(&args, ",\"message\":", 11);
  midplane_buffer_add_json(&args, message);
  midplane_buffer_add(&args, "}", 2);
  if (!args.failed) {
    midplane_ask(call, "log", (const char *)args.data, NULL, 0, NULL);
  }
  midplane_buffer_free(&args);
}

/* The number of an action among `count`, or -1. */
static inline int32_t midplane_find(const midplane_action *actions, size_t count, const char *name, size_t len) {
  size_t i;
  for (i = 0; i < count; i++) {
    if (strlen(actions[i].name) == len && memcmp(actions[i].name, name, len) == 0) {
      return (int32_t)i;
    }
  }
  return -1;
}

/* Runs an action; in C++ a thrown exception becomes MIDPLANE_PANICKED. */
static inline midplane_status midplane_run(const midplane_action *actions, size_t count, void *instance, int32_t action,
                                           const uint8_t *input, size_t len, midplane_call *call) {
  if (action < 0 || (size_t)action >= count) {
    return midplane_fail(call, "action_not_found", "no action has this number");
  }
#if defined(__cplusplus) && defined(__cpp_exceptions)
  try {
    return actions[action].run(instance, input, len, call);
  } catch (const std::exception &thrown) {
    midplane_fail(call, "panicked", thrown.what());
  } catch (...) {
    midplane_fail(call, "panicked", "something was thrown that is no std::exception");
  }
  return MIDPLANE_PANICKED;
#else
  return actions[action].run(instance, input, len, call);
#endif
}

/* Answers the info hook: id, version and the actions' names. */
static inline midplane_status midplane_describe(const char *id, const char *version, const midplane_action *actions,
                                                size_t count, midplane_call *call) {
  midplane_buffer info = {NULL, 0, 0, 0};
  midplane_status status = MIDPLANE_ERROR;
  size_t i;
  midplane_buffer_add(&info, "{\"id\":", 6);
  midplane_buffer_add_json(&info, id);
  midplane_buffer_add(&info, ",\"version\":", 11);
  midplane_buffer_add_json(&info, version);
  midplane_buffer_add(&info, ",\"actions\":[", 12);
  for (i = 0; i < count; i++) {
    midplane_buffer_add(&info, ",", i == 0 ? 0 : 1);
    midplane_buffer_add_json(&info, actions[i].name);
  }
  midplane_buffer_add(&info, "]}", 2);
  status = info.failed ? midplane_fail(call, "out_of_memory", "no memory for the info")
                       : midplane_reply(call, info.data, info.len);
  midplane_buffer_free(&info);
  return status;
}

#ifdef __cplusplus
#define MIDPLANE_EXTERN_C extern "C"
#else
#define MIDPLANE_EXTERN_C
#endif

/*
 * Makes the plugin: its id ("" means the manifest's), its version ("" likewise), and an array of midplane_action. Once
 * per library, at file scope, without a semicolon.
 */
#define MIDPLANE_PLUGIN(id, version, actions)                                                                          \
  static int32_t midplane_own_resolve(const char *name, size_t len) {                                                 \
    return midplane_find(actions, sizeof(actions) / sizeof((actions)[0]), name, len);                                  \
  }                                                                                                                    \
  static midplane_status midplane_own_call(void *instance, int32_t action, const uint8_t *input, size_t len,           \
                                           midplane_call *call) {                                                      \
    return midplane_run(actions, sizeof(actions) / sizeof((actions)[0]), instance, action, input, len, call);          \
  }                                                                                                                    \
  static midplane_status midplane_own_info(void *instance, const uint8_t *input, size_t len, midplane_call *call) {    \
    (void)instance, (void)input, (void)len;                                                                            \
    return midplane_describe(id, version, actions, sizeof(actions) / sizeof((actions)[0]), call);                      \
  }                                                                                                                    \
  static const midplane_plugin_table midplane_own_table = {                                                            \
      sizeof(midplane_plugin_table), MIDPLANE_ABI_MAJOR, MIDPLANE_ABI_MINOR, 0, midplane_own_resolve,                  \
      midplane_own_call, MIDPLANE_ON_CREATE, MIDPLANE_ON_DESTROY, midplane_own_info, MIDPLANE_ON_VALIDATE_CONFIG,      \
      MIDPLANE_ON_INIT, MIDPLANE_ON_START, MIDPLANE_ON_STOP, MIDPLANE_ON_CLEANUP, MIDPLANE_ON_HEALTH_CHECK,            \
      MIDPLANE_ON_PING, MIDPLANE_ON_GET_CONFIG, MIDPLANE_ON_UPDATE_CONFIG, MIDPLANE_ON_EVENT,                          \
      MIDPLANE_ON_DEPENDENCY_CHANGED, MIDPLANE_ON_EXPORT_STATE, MIDPLANE_ON_IMPORT_STATE, MIDPLANE_ON_MIGRATE,         \
      MIDPLANE_ON_MIGRATE_BACK};                                                                                       \
  MIDPLANE_EXTERN_C MIDPLANE_EXPORT const midplane_plugin_table *midplane_plugin(void) { return &midplane_own_table; }

#endif
