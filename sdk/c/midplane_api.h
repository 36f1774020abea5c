/*
 * midplane_api.h - the host API for plugins in C99 or C++: one function for each of the contract. It includes
 * midplane_plugin.h.
 *
 *   midplane_buffer value = {NULL, 0, 0, 0};
 *   int found;
 *   midplane_status status = midplane_state_get(call, "count", &value, &found);
 *   if (status != MIDPLANE_OK) return status;
 *
 * Each waits for the host's answer, and is used on the thread of its call. Where the host refuses, its error has become
 * that of the call: return the status to pass it on, or go on regardless. `permission_denied` (the plugin was not granted
 * it) and `not_supported` (this host does not do it) may come from all of them, `protocol_error` where an answer does not
 * fit; who has to know the code asks with midplane_ask. Bytes are appended to buffers, which the caller frees.
 *
 * Texts are UTF-8 and end in zero; NULL leaves an argument that may be missing out. Times are milliseconds; below 0 means
 * none: no deadline of its own, or kept for good.
 */
#ifndef MIDPLANE_API_H
#define MIDPLANE_API_H

#include "midplane_json.h"

#include <inttypes.h>
#include <stdio.h>

/* Arguments: a JSON object in a buffer that begins empty. */
static inline void midplane_arg(midplane_buffer *args, const char *name, const char *json, size_t len) {
  midplane_buffer_add(args, args->len == 0 ? "{" : ",", 1);
  midplane_buffer_add_json(args, name);
  midplane_buffer_add(args, ":", 1);
  midplane_buffer_add(args, json, len);
}

static inline void midplane_arg_text(midplane_buffer *args, const char *name, const char *text) {
  if (text != NULL) {
    midplane_arg(args, name, "", 0);
    midplane_buffer_add_json(args, text);
  }
}

static inline void midplane_arg_time(midplane_buffer *args, const char *name, int64_t milliseconds) {
  char digits[24];
  if (milliseconds >= 0) {
    int len = snprintf(digits, sizeof digits, "%" PRId64, milliseconds);
    midplane_arg(args, name, digits, (size_t)len);
  }
}

/* Makes the error of the call what the host has answered. */
static inline void midplane_pass_on(midplane_call *call, const uint8_t *error, size_t len) {
  midplane_buffer code = {NULL, 0, 0, 0}, message = {NULL, 0, 0, 0};
  midplane_json data = midplane_json_member(error, len, "data");
  int32_t recoverable = midplane_json_is(midplane_json_member(error, len, "recoverable"), "true");
  int is_object = data.text != NULL && *data.text == '{';
  midplane_json_text(midplane_json_member(error, len, "code"), &code);
  midplane_json_text(midplane_json_member(error, len, "message"), &message);
  call->host->error_set(call, (const char *)code.data, code.len, (const char *)message.data, message.len, recoverable,
                        is_object ? data.text : "", is_object ? data.len : 0);
  midplane_buffer_free(&code);
  midplane_buffer_free(&message);
}

/* Asks, and frees the arguments. A refusal with the code `none` is MIDPLANE_OK with *found = 0. */
static inline midplane_status midplane_asked(midplane_call *call, const char *function, midplane_buffer *args,
                                             const void *payload, size_t len, midplane_buffer *answer, const char *none,
                                             int *found) {
  midplane_buffer told = {NULL, 0, 0, 0};
  midplane_status status;
  midplane_buffer_add(args, args->len == 0 ? "{}" : "}", args->len == 0 ? 3 : 2);
  status = args->failed ? MIDPLANE_ERROR
                        : midplane_ask(call, function, (const char *)args->data, payload, len, &told);
  if (found != NULL) {
    *found = status == MIDPLANE_OK;
  }
  if (args->failed || told.failed) {
    status = midplane_fail(call, "out_of_memory", "no memory for a question to the host or its answer");
  } else if (status == MIDPLANE_OK) {
    if (answer != NULL) {
      midplane_buffer_add(answer, told.data, told.len);
      status = answer->failed ? midplane_fail(call, "out_of_memory", "no memory for the host's answer") : MIDPLANE_OK;
    }
  } else {
    midplane_buffer code = {NULL, 0, 0, 0};
    midplane_json_text(midplane_json_member(told.data, told.len, "code"), &code);
    if (none != NULL && code.len == strlen(none) && memcmp(code.data, none, code.len) == 0) {
      status = MIDPLANE_OK;
    } else {
      midplane_pass_on(call, told.data, told.len);
    }
    midplane_buffer_free(&code);
  }
  midplane_buffer_free(&told);
  midplane_buffer_free(args);
  return status;
}

static inline midplane_status midplane_misfit(midplane_call *call, const char *function) {
  char message[96];
  snprintf(message, sizeof message, "the host's answer to %s does not fit", function);
  return midplane_fail(call, "protocol_error", message);
}

/* config.get: the configuration in effect as JSON, or one value of it (null where there is none). */
static inline midplane_status midplane_config(midplane_call *call, const char *key, midplane_buffer *json) {
  midplane_buffer args = {NULL, 0, 0, 0};
  midplane_arg_text(&args, "key", key);
  return midplane_asked(call, "config.get", &args, NULL, 0, json, NULL, NULL);
}

/* secret.get: a secret by its name. */
static inline midplane_status midplane_secret(midplane_call *call, const char *name, midplane_buffer *secret) {
  midplane_buffer args = {NULL, 0, 0, 0};
  midplane_arg_text(&args, "name", name);
  return midplane_asked(call, "secret.get", &args, NULL, 0, secret, NULL, NULL);
}

/* state.get: the value of a key; *found is 0 where there is none. */
static inline midplane_status midplane_state_get(midplane_call *call, const char *key, midplane_buffer *value,
                                                 int *found) {
  midplane_buffer args = {NULL, 0, 0, 0};
  midplane_arg_text(&args, "key", key);
  return midplane_asked(call, "state.get", &args, NULL, 0, value, "key_not_found", found);
}

/* state.set: writes a key. `limit_exceeded` over quota. */
static inline midplane_status midplane_state_set(midplane_call *call, const char *key, const void *value, size_t len,
                                                 int64_t ttl_ms) {
  midplane_buffer args = {NULL, 0, 0, 0};
  midplane_arg_text(&args, "key", key);
  midplane_arg_time(&args, "ttl_ms", ttl_ms);
  return midplane_asked(call, "state.set", &args, value, len, NULL, NULL, NULL);
}

/* state.compare_and_set: writes a key if its value still is `expected` (NULL: if there is none). *written says whether. */
static inline midplane_status midplane_state_compare_and_set(midplane_call *call, const char *key, const char *expected,
                                                             const void *value, size_t len, int64_t ttl_ms,
                                                             int *written) {
  midplane_buffer args = {NULL, 0, 0, 0}, answer = {NULL, 0, 0, 0};
  midplane_json told;
  midplane_status status;
  midplane_arg_text(&args, "key", key);
  midplane_arg_text(&args, "expected", expected);
  midplane_arg_time(&args, "ttl_ms", ttl_ms);
  status = midplane_asked(call, "state.compare_and_set", &args, value, len, &answer, NULL, NULL);
  told.text = (const char *)answer.data;
  told.len = answer.len;
  *written = status == MIDPLANE_OK && midplane_json_is(told, "true");
  if (status == MIDPLANE_OK && !*written && !midplane_json_is(told, "false")) {
    status = midplane_misfit(call, "state.compare_and_set");
  }
  midplane_buffer_free(&answer);
  return status;
}

/* state.delete: removes a key; one that is not there is no error. */
static inline midplane_status midplane_state_delete(midplane_call *call, const char *key) {
  midplane_buffer args = {NULL, 0, 0, 0};
  midplane_arg_text(&args, "key", key);
  return midplane_asked(call, "state.delete", &args, NULL, 0, NULL, NULL, NULL);
}

/* state.list: the keys that begin with a prefix (NULL: all), as a JSON array. */
static inline midplane_status midplane_state_list(midplane_call *call, const char *prefix, midplane_buffer *keys) {
  midplane_buffer args = {NULL, 0, 0, 0};
  midplane_arg_text(&args, "prefix", prefix);
  return midplane_asked(call, "state.list", &args, NULL, 0, keys, NULL, NULL);
}

/* What an event, a question or a subscription says beyond its topic; all zero, or NULL in its place, says nothing. */
typedef struct midplane_topic_options {
  /* Media type of the data of an event or question; NULL: JSON. */
  const char *content_type;
  /* Not 0: whoever subscribes later gets the event first. */
  int retain;
  /* Of the plugins in a group one gets each event. */
  const char *group;
  /* Which events are wanted: a JSON object of fields of their data and the values they have to have. */
  const char *filter;
} midplane_topic_options;

/* bus.publish: an event. Of the options it takes content_type and retain. */
static inline midplane_status midplane_publish(midplane_call *call, const char *topic,
                                               const midplane_topic_options *options, const void *data, size_t len) {
  midplane_buffer args = {NULL, 0, 0, 0};
  midplane_arg_text(&args, "topic", topic);
  midplane_arg_text(&args, "content_type", options == NULL ? NULL : options->content_type);
  if (options != NULL && options->retain) {
    midplane_arg(&args, "retain", "true", 4);
  }
  return midplane_asked(call, "bus.publish", &args, data, len, NULL, NULL, NULL);
}

/*
 * bus.request: asks a topic and takes the first answer that is not empty, which is what a hook MIDPLANE_ON_EVENT has
 * replied; an empty one where all that are there reply nothing. Nobody there is `peer_gone`, nobody who answers in time
 * `deadline_exceeded`. Of the options it takes content_type.
 */
static inline midplane_status midplane_request(midplane_call *call, const char *topic,
                                               const midplane_topic_options *options, int64_t deadline_ms,
                                               const void *data, size_t len, midplane_buffer *answer) {
  midplane_buffer args = {NULL, 0, 0, 0};
  midplane_arg_text(&args, "topic", topic);
  midplane_arg_text(&args, "content_type", options == NULL ? NULL : options->content_type);
  midplane_arg_time(&args, "deadline_ms", deadline_ms);
  return midplane_asked(call, "bus.request", &args, data, len, answer, NULL, NULL);
}

/*
 * bus.subscribe: from now on the hook MIDPLANE_ON_EVENT gets what is published on this topic, or on the topics of a pattern
 * such as "orders.*" or "orders.>". Where the event is a question, what the hook replies (midplane_reply) is the answer.
 * Of the options it takes group and filter.
 */
static inline midplane_status midplane_subscribe(midplane_call *call, const char *topic,
                                                 const midplane_topic_options *options) {
  midplane_buffer args = {NULL, 0, 0, 0};
  midplane_arg_text(&args, "topic", topic);
  if (options != NULL) {
    midplane_arg_text(&args, "group", options->group);
    if (options->filter != NULL) {
      midplane_arg(&args, "filter", options->filter, strlen(options->filter));
    }
  }
  return midplane_asked(call, "bus.subscribe", &args, NULL, 0, NULL, NULL, NULL);
}

/* bus.unsubscribe: ends it; the topic is written as it was subscribed to. */
static inline midplane_status midplane_unsubscribe(midplane_call *call, const char *topic) {
  midplane_buffer args = {NULL, 0, 0, 0};
  midplane_arg_text(&args, "topic", topic);
  return midplane_asked(call, "bus.unsubscribe", &args, NULL, 0, NULL, NULL, NULL);
}

/* call: another plugin's action by its address, "ID/ACTION". It has what is left of this call's time at most. */
static inline midplane_status midplane_call_action(midplane_call *call, const char *address, int64_t deadline_ms,
                                                   const void *input, size_t len, midplane_buffer *reply) {
  midplane_buffer args = {NULL, 0, 0, 0};
  midplane_arg_text(&args, "address", address);
  midplane_arg_time(&args, "deadline_ms", deadline_ms);
  return midplane_asked(call, "call", &args, input, len, reply, NULL, NULL);
}

/* service.find: the providers of an interface in a range of versions (NULL: any), as a JSON array. */
static inline midplane_status midplane_service_find(midplane_call *call, const char *name, const char *range,
                                                    midplane_buffer *providers) {
  midplane_buffer args = {NULL, 0, 0, 0};
  midplane_arg_text(&args, "interface", name);
  midplane_arg_text(&args, "range", range);
  return midplane_asked(call, "service.find", &args, NULL, 0, providers, NULL, NULL);
}

/* service.call: an action of the provider that the host chooses. */
static inline midplane_status midplane_service_call(midplane_call *call, const char *name, const char *range,
                                                    const char *action, int64_t deadline_ms, const void *input,
                                                    size_t len, midplane_buffer *reply) {
  midplane_buffer args = {NULL, 0, 0, 0};
  midplane_arg_text(&args, "interface", name);
  midplane_arg_text(&args, "range", range);
  midplane_arg_text(&args, "action", action);
  midplane_arg_time(&args, "deadline_ms", deadline_ms);
  return midplane_asked(call, "service.call", &args, input, len, reply, NULL, NULL);
}

/* What is sent to a web address. `method` NULL is GET; `headers` is a JSON object of texts, or NULL. */
typedef struct midplane_http_request {
  const char *method;
  const char *url;
  const char *headers;
  const void *body;
  size_t body_len;
} midplane_http_request;

/* What came back: the HTTP status, such as 200; headers as a JSON object, names in lower case; the body. */
typedef struct midplane_http_reply {
  int status;
  midplane_buffer headers;
  midplane_buffer body;
} midplane_http_reply;

/* Frees what a reply holds. */
static inline void midplane_http_free(midplane_http_reply *reply) {
  midplane_buffer_free(&reply->headers);
  midplane_buffer_free(&reply->body);
}

/* Appends a header by its name in lower case; 0 where there is none. */
static inline int midplane_http_header(const midplane_http_reply *reply, const char *name, midplane_buffer *value) {
  return midplane_json_text(midplane_json_member(reply->headers.data, reply->headers.len, name), value);
}

/* http.fetch: what a web address answers, whatever its status. Fills *reply, to be freed with midplane_http_free. */
static inline midplane_status midplane_http_fetch(midplane_call *call, const midplane_http_request *request,
                                                  midplane_http_reply *reply) {
  midplane_buffer args = {NULL, 0, 0, 0}, answer = {NULL, 0, 0, 0};
  midplane_json code, headers;
  midplane_status status;
  size_t head = 0, i;
  memset(reply, 0, sizeof *reply);
  midplane_arg_text(&args, "method", request->method);
  midplane_arg_text(&args, "url", request->url);
  if (request->headers != NULL) {
    midplane_arg(&args, "headers", request->headers, strlen(request->headers));
  }
  status = midplane_asked(call, "http.fetch", &args, request->body, request->body_len, &answer, NULL, NULL);
  if (status == MIDPLANE_OK) {
    while (head < answer.len && answer.data[head] != '\n') {
      head++;
    }
    code = midplane_json_member(answer.data, head, "status");
    headers = midplane_json_member(answer.data, head, "headers");
    for (i = 0; i < code.len && code.len == 3 && code.text[i] >= '0' && code.text[i] <= '9'; i++) {
      reply->status = reply->status * 10 + (code.text[i] - '0');
    }
    if (i != 3) {
      status = midplane_misfit(call, "http.fetch");
    } else {
      midplane_buffer_add(&reply->headers, headers.text, headers.len);
      midplane_buffer_add(&reply->body, answer.data + head + 1, head < answer.len ? answer.len - head - 1 : 0);
      if (reply->headers.failed || reply->body.failed) {
        status = midplane_fail(call, "out_of_memory", "no memory for what a web address answered");
      }
    }
  }
  midplane_buffer_free(&answer);
  return status;
}

/* metrics.count, metrics.gauge, metrics.observe; `labels` is a JSON object of texts, or NULL. */
static inline midplane_status midplane_measure(midplane_call *call, const char *function, const char *name,
                                               double value, const char *labels) {
  midplane_buffer args = {NULL, 0, 0, 0};
  char digits[32], *at;
  snprintf(digits, sizeof digits, "%.17g", value);
  for (at = digits; *at != '\0'; at++) {
    /* Some locales write a comma. */
    *at = *at == ',' ? '.' : *at;
  }
  midplane_arg_text(&args, "name", name);
  midplane_arg(&args, "value", digits, strlen(digits));
  if (labels != NULL) {
    midplane_arg(&args, "labels", labels, strlen(labels));
  }
  return midplane_asked(call, function, &args, NULL, 0, NULL, NULL, NULL);
}

/* Adds to a counter; the value is not below 0. */
static inline midplane_status midplane_count(midplane_call *call, const char *name, double value, const char *labels) {
  return midplane_measure(call, "metrics.count", name, value, labels);
}

/* Sets a gauge. */
static inline midplane_status midplane_gauge(midplane_call *call, const char *name, double value, const char *labels) {
  return midplane_measure(call, "metrics.gauge", name, value, labels);
}

/* Adds to a histogram. */
static inline midplane_status midplane_observe(midplane_call *call, const char *name, double value,
                                               const char *labels) {
  return midplane_measure(call, "metrics.observe", name, value, labels);
}

/* time.now: the host's time of day in RFC 3339, as text. */
static inline midplane_status midplane_now(midplane_call *call, midplane_buffer *text) {
  midplane_buffer args = {NULL, 0, 0, 0}, answer = {NULL, 0, 0, 0};
  midplane_status status = midplane_asked(call, "time.now", &args, NULL, 0, &answer, NULL, NULL);
  midplane_json told;
  told.text = (const char *)answer.data;
  told.len = answer.len;
  if (status == MIDPLANE_OK && !midplane_json_text(told, text)) {
    status = midplane_misfit(call, "time.now");
  }
  midplane_buffer_free(&answer);
  return status;
}

/* time.monotonic: nanoseconds of a clock that never goes back; only differences mean something. */
static inline midplane_status midplane_monotonic(midplane_call *call, uint64_t *nanoseconds) {
  midplane_buffer args = {NULL, 0, 0, 0}, answer = {NULL, 0, 0, 0};
  midplane_status status = midplane_asked(call, "time.monotonic", &args, NULL, 0, &answer, NULL, NULL);
  size_t i;
  *nanoseconds = 0;
  for (i = 0; i < answer.len && answer.data[i] >= '0' && answer.data[i] <= '9'; i++) {
    *nanoseconds = *nanoseconds * 10 + (uint64_t)(answer.data[i] - '0');
  }
  if (status == MIDPLANE_OK && (i == 0 || i != answer.len)) {
    status = midplane_misfit(call, "time.monotonic");
  }
  midplane_buffer_free(&answer);
  return status;
}

/* random: so many random bytes of the host, 65,536 at most, to `out`. */
static inline midplane_status midplane_random(midplane_call *call, void *out, size_t count) {
  midplane_buffer args = {NULL, 0, 0, 0}, answer = {NULL, 0, 0, 0};
  midplane_status status;
  midplane_arg_time(&args, "bytes", (int64_t)count);
  status = midplane_asked(call, "random", &args, NULL, 0, &answer, NULL, NULL);
  if (status == MIDPLANE_OK && answer.len != count) {
    status = midplane_misfit(call, "random");
  }
  if (status == MIDPLANE_OK && count > 0) {
    memcpy(out, answer.data, count);
  }
  midplane_buffer_free(&answer);
  return status;
}

#endif
