/* A native plugin for the tests of the command: one action for each way in which a call can go. */
#include <stdlib.h>
#include <string.h>

#include "midplane.h"

static const char *const NAMES[] = {"echo", "upper", "fail", "hang", "abort", "log", "chunks", "empty"};

static int32_t resolve(const char *name, size_t len) {
  for (int32_t i = 0; i < (int32_t)(sizeof NAMES / sizeof *NAMES); i++) {
    if (strlen(NAMES[i]) == len && memcmp(NAMES[i], name, len) == 0) return i;
  }
  return -1;
}

static midplane_status upper(const uint8_t *in, size_t len, midplane_call *call) {
  uint8_t *out = malloc(len ? len : 1);
  for (size_t i = 0; i < len; i++) out[i] = in[i] >= 'a' && in[i] <= 'z' ? in[i] - 32 : in[i];
  midplane_status status = call->host->reply_write(call, out, len);
  free(out);
  return status;
}

static midplane_status fail(midplane_call *call) {
  static const char code[] = "out_of_milk", message[] = "no milk \x1b[31mleft", data[] = "{\"shelf\": 3}";
  call->host->error_set(call, code, sizeof code - 1, message, sizeof message - 1, 1, data, sizeof data - 1);
  return MIDPLANE_ERROR;
}

static midplane_status log_line(midplane_call *call) {
  static const char function[] = "log", args[] = "{\"level\": \"info\", \"message\": \"a line of the plugin\"}";
  return call->host->host_call(call->host, call, function, sizeof function - 1, args, sizeof args - 1, NULL, 0, NULL,
                               NULL);
}

static midplane_status chunks(midplane_call *call) {
  static uint8_t chunk[65536];
  memset(chunk, 'x', sizeof chunk);
  for (size_t i = 79; i < sizeof chunk; i += 80) chunk[i] = '\n';
  for (int i = 0; i < 256; i++) {
    midplane_status status = call->host->reply_write(call, chunk, sizeof chunk);
    if (status != MIDPLANE_OK) return MIDPLANE_ERROR;
  }
  return MIDPLANE_OK;
}

static midplane_status run(void *instance, int32_t action, const uint8_t *in, size_t len, midplane_call *call) {
  volatile int forever = 1;
  (void)instance;
  switch (action) {
    case 0: return call->host->reply_write(call, in, len);
    case 1: return upper(in, len, call);
    case 2: return fail(call);
    case 3: while (forever) {}
    case 4: abort();
    case 5: return log_line(call);
    case 6: return chunks(call);
    default: return MIDPLANE_OK;
  }
}

static midplane_status info(void *instance, const uint8_t *in, size_t len, midplane_call *call) {
  static const char text[] = "{\"id\": \"tool\", \"version\": \"1.2.3\", \"actions\": [\"echo\", \"upper\"]}";
  (void)instance, (void)in, (void)len;
  return call->host->reply_write(call, (const uint8_t *)text, sizeof text - 1);
}

static const midplane_plugin_table TABLE = {.size = sizeof(midplane_plugin_table),
                                            .abi_major = MIDPLANE_ABI_MAJOR,
                                            .abi_minor = MIDPLANE_ABI_MINOR,
                                            .plugin_resolve_action = resolve,
                                            .plugin_call = run,
                                            .plugin_get_info = info};

const midplane_plugin_table *midplane_plugin(void) { return &TABLE; }
