/*
 * The SDK's own tests: a plugin that asks for all that there is, on the test bench. Prints what did not hold.
 */
#define MIDPLANE_ON_EVENT on_event
#include "midplane_api.h"
#include "midplane_testing.h"

static int wrong = 0;

static void hold(int holds, const char *what, int line) {
  if (!holds) {
    wrong++;
    fprintf(stderr, "line %d: %s\n", line, what);
  }
}
#define HOLD(what) hold(what, #what, __LINE__)
#define OK(ask) HOLD((ask) == MIDPLANE_OK)

static int same(const midplane_buffer *buffer, const char *text) {
  return midplane_bench_same(buffer, text, strlen(text));
}

/* The answer to a question is what the hook replies. */
static midplane_status on_event(void *self, const uint8_t *input, size_t len, midplane_call *call) {
  midplane_json data = midplane_json_member(input, len, "data");
  (void)self;
  return midplane_reply(call, data.text, data.len);
}

static midplane_status store(void *self, const uint8_t *input, size_t len, midplane_call *call) {
  midplane_buffer value = {NULL, 0, 0, 0}, keys = {NULL, 0, 0, 0};
  int found = -1, written = -1;
  (void)self, (void)input, (void)len;
  OK(midplane_state_get(call, "a", &value, &found));
  HOLD(found == 0 && value.len == 0);
  OK(midplane_state_set(call, "a", "old", 3, 1500));
  OK(midplane_state_compare_and_set(call, "a", "old", "new", 3, -1, &written));
  HOLD(written == 1);
  OK(midplane_state_compare_and_set(call, "a", "old", "other", 5, -1, &written));
  HOLD(written == 0);
  OK(midplane_state_compare_and_set(call, "b\"", NULL, "", 0, -1, &written));
  HOLD(written == 1);
  OK(midplane_state_get(call, "a", &value, &found));
  HOLD(found == 1 && same(&value, "new"));
  OK(midplane_state_list(call, NULL, &keys));
  HOLD(same(&keys, "[\"b\\\"\",\"a\"]"));
  OK(midplane_state_delete(call, "a"));
  OK(midplane_state_get(call, "a", NULL, &found));
  HOLD(found == 0);
  midplane_buffer_free(&value);
  midplane_buffer_free(&keys);
  return midplane_reply_text(call, "stored");
}

static midplane_status fetch(void *self, const uint8_t *input, size_t len, midplane_call *call) {
  midplane_http_request request = {"POST", "https://example.com/", "{\"accept\":\"text/plain\"}", NULL, 0};
  midplane_http_reply reply;
  midplane_buffer type = {NULL, 0, 0, 0};
  midplane_status status;
  (void)self;
  request.body = input;
  request.body_len = len;
  status = midplane_http_fetch(call, &request, &reply);
  if (status == MIDPLANE_OK) {
    HOLD(reply.status == 404 && same(&reply.body, "not\nhere"));
    HOLD(midplane_http_header(&reply, "content-type", &type) && same(&type, "text/pl\xc3\xa4in"));
    HOLD(!midplane_http_header(&reply, "etag", &type));
  }
  midplane_buffer_free(&type);
  midplane_http_free(&reply);
  return status;
}

static midplane_status others(void *self, const uint8_t *input, size_t len, midplane_call *call) {
  midplane_buffer told = {NULL, 0, 0, 0};
  midplane_topic_options kept = {"text/plain", 1, NULL, NULL}, some = {NULL, 0, "g", "{\"color\":\"red\"}"};
  uint64_t before, after;
  uint8_t drawn[70];
  (void)self;
  OK(midplane_call_action(call, "a/b", 2000, input, len, &told));
  OK(midplane_request(call, "t", NULL, -1, "?", 1, &told));
  OK(midplane_service_find(call, "greeter", NULL, &told));
  OK(midplane_service_call(call, "greeter", "^1", "greet", 7, "x", 1, &told));
  HOLD(same(&told, "1[]2"));
  midplane_buffer_free(&told);
  OK(midplane_publish(call, "t", NULL, "1", 1));
  OK(midplane_publish(call, "t", &kept, "text", 4));
  OK(midplane_subscribe(call, "t", NULL));
  OK(midplane_subscribe(call, "t.*", &some));
  OK(midplane_unsubscribe(call, "t"));
  OK(midplane_count(call, "n", 2, "{\"shop\":\"north\"}"));
  OK(midplane_gauge(call, "g", 0.5, NULL));
  OK(midplane_observe(call, "o", 1, NULL));
  OK(midplane_monotonic(call, &before));
  OK(midplane_monotonic(call, &after));
  HOLD(before <= after);
  OK(midplane_random(call, drawn, sizeof drawn));
  OK(midplane_now(call, &told));
  HOLD(told.len == 20 && told.data[19] == 'Z');
  midplane_buffer_free(&told);
  OK(midplane_config(call, NULL, &told));
  OK(midplane_config(call, "depth", &told));
  OK(midplane_config(call, "width", &told));
  HOLD(same(&told, "{\"depth\": 3}3null"));
  midplane_buffer_free(&told);
  return MIDPLANE_OK;
}

static midplane_status secret(void *self, const uint8_t *input, size_t len, midplane_call *call) {
  midplane_buffer told = {NULL, 0, 0, 0};
  midplane_status status = midplane_secret(call, "key", &told);
  (void)self, (void)input, (void)len;
  HOLD(told.len == 0);
  midplane_buffer_free(&told);
  return status;
}

static midplane_status compare(void *self, const uint8_t *input, size_t len, midplane_call *call) {
  int written;
  (void)self, (void)input, (void)len;
  return midplane_state_compare_and_set(call, "k", NULL, "", 0, -1, &written);
}

static midplane_status clocks(void *self, const uint8_t *input, size_t len, midplane_call *call) {
  uint64_t now;
  (void)self, (void)input, (void)len;
  return midplane_monotonic(call, &now);
}

static const midplane_action actions[] = {{"store", store},     {"fetch", fetch},     {"others", others},
                                          {"secret", secret}, {"compare", compare}, {"clocks", clocks}};
MIDPLANE_PLUGIN("", "", actions)

static int asked(const midplane_bench *bench, const char *function, const char *args) {
  const midplane_note *found = midplane_bench_asked(bench, function);
  return found != NULL && same(&found->args, args);
}

int main(void) {
  midplane_bench bench;
  OK(midplane_bench_begin(&bench, "{\"depth\": 3}"));
  OK(midplane_bench_call(&bench, "store", ""));
  HOLD(midplane_bench_replied(&bench, "stored"));
  HOLD(asked(&bench, "state.set", "{\"key\":\"a\",\"ttl_ms\":1500}"));
  HOLD(asked(&bench, "state.list", "{}"));

  midplane_bench_answer(&bench, "http.fetch", MIDPLANE_OK,
                        "{\"x\": [\"}\"], \"status\": 404, \"headers\": {\"content-type\": \"text\\/pl\\u00e4in\"}}\nnot\nhere");
  OK(midplane_bench_call(&bench, "fetch", "hi"));
  HOLD(asked(&bench, "http.fetch",
             "{\"method\":\"POST\",\"url\":\"https://example.com/\",\"headers\":{\"accept\":\"text/plain\"}}"));
  HOLD(same(&midplane_bench_asked(&bench, "http.fetch")->bytes, "hi"));
  midplane_bench_answer(&bench, "http.fetch", MIDPLANE_OK, "{}\nbody");
  HOLD(midplane_bench_call(&bench, "fetch", "") == MIDPLANE_ERROR && midplane_bench_failed(&bench, "protocol_error"));

  midplane_bench_answer(&bench, "call", MIDPLANE_OK, "1");
  midplane_bench_answer(&bench, "bus.request", MIDPLANE_OK, "");
  midplane_bench_answer(&bench, "service.find", MIDPLANE_OK, "[]");
  midplane_bench_answer(&bench, "service.call", MIDPLANE_OK, "2");
  OK(midplane_bench_call(&bench, "others", "in"));
  HOLD(asked(&bench, "call", "{\"address\":\"a/b\",\"deadline_ms\":2000}"));
  HOLD(asked(&bench, "service.call",
             "{\"interface\":\"greeter\",\"range\":\"^1\",\"action\":\"greet\",\"deadline_ms\":7}"));
  HOLD(asked(&bench, "bus.publish", "{\"topic\":\"t\",\"content_type\":\"text/plain\",\"retain\":true}"));
  HOLD(asked(&bench, "bus.subscribe", "{\"topic\":\"t.*\",\"group\":\"g\",\"filter\":{\"color\":\"red\"}}"));
  HOLD(asked(&bench, "metrics.count", "{\"name\":\"n\",\"value\":2,\"labels\":{\"shop\":\"north\"}}"));
  HOLD(asked(&bench, "metrics.gauge", "{\"name\":\"g\",\"value\":0.5}"));

  HOLD(midplane_bench_call(&bench, "secret", "") == MIDPLANE_ERROR && midplane_bench_failed(&bench, "not_supported"));
  midplane_bench_answer(&bench, "secret.get", MIDPLANE_ERROR,
                        "{\"code\":\"permission_denied\",\"message\":\"\\ud83d\\ude00 no\",\"recoverable\":true,\"data\":{\"a\":1}}");
  HOLD(midplane_bench_call(&bench, "secret", "") == MIDPLANE_ERROR && midplane_bench_failed(&bench, "permission_denied"));
  HOLD(same(&bench.message, "\xf0\x9f\x98\x80 no") && same(&bench.data, "{\"a\":1}") && bench.recoverable);
  midplane_bench_answer(&bench, "state.compare_and_set", MIDPLANE_OK, "");
  HOLD(midplane_bench_call(&bench, "compare", "") == MIDPLANE_ERROR && midplane_bench_failed(&bench, "protocol_error"));
  midplane_bench_answer(&bench, "time.monotonic", MIDPLANE_OK, "1.5");
  HOLD(midplane_bench_call(&bench, "clocks", "") == MIDPLANE_ERROR && midplane_bench_failed(&bench, "protocol_error"));
  HOLD(midplane_bench_call(&bench, "never", "") == MIDPLANE_ERROR && midplane_bench_failed(&bench, "action_not_found"));
  OK(midplane_bench_hook(&bench, bench.plugin->plugin_handle_event, "{\"event_type\":\"t\",\"data\":[1]}"));
  HOLD(midplane_bench_replied(&bench, "[1]"));
  OK(midplane_bench_hook(&bench, bench.plugin->plugin_get_info, ""));
  HOLD(bench.reply.len > 10);
  midplane_bench_end(&bench);
  return wrong != 0;
}
