//go:build midplane_cshared

#ifdef __linux__
#define _GNU_SOURCE
#endif
// The plugin's table of midplane.h. Its functions lead into Go; those of hooks that the plugin does not have stay null.
#include "_cgo_export.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#ifdef __linux__
#include <sys/resource.h>

// Where the process may hold only so much memory, the stacks of threads count in full: the Go runtime starts five, of
// 8 MiB each, before anybody has called anything. Runs before the runtime's own constructor.
__attribute__((constructor(101))) static void smaller_stacks(void) {
  struct rlimit limit;
  pthread_attr_t threads;
  if (getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  if (pthread_getattr_default_np(&threads) != 0) return;
  if (pthread_attr_setstacksize(&threads, 1 << 20) == 0) pthread_setattr_default_np(&threads);
  pthread_attr_destroy(&threads);
}
#endif

static int32_t resolve(const char *name, size_t len) { return midplaneGoResolve((char *)name, len); }

static midplane_status call_action(void *instance, int32_t action, const uint8_t *input, size_t len,
                                   midplane_call *call) {
  return midplaneGoCall((uintptr_t)instance, action, (uint8_t *)input, len, call);
}

static midplane_status create(const midplane_host *host, const midplane_instance_info *info, midplane_call *call,
                              void **instance) {
  uintptr_t made = 0;
  midplane_status status = midplaneGoCreate((midplane_host *)host, (midplane_instance_info *)info, call, &made);
  *instance = (void *)made;
  return status;
}

static void destroy(void *instance) { midplaneGoDestroy((uintptr_t)instance); }

#define HOOK(number, name)                                                                                             \
  static midplane_status name(void *instance, const uint8_t *input, size_t len, midplane_call *call) {                 \
    return midplaneGoHook((uintptr_t)instance, number, (uint8_t *)input, len, call);                                   \
  }
HOOK(0, get_info)
HOOK(1, validate_config)
HOOK(2, init)
HOOK(3, start)
HOOK(4, stop)
HOOK(5, cleanup)
HOOK(6, health_check)
HOOK(7, ping)
HOOK(8, get_config)
HOOK(9, update_config)
HOOK(10, handle_event)
HOOK(11, dependency_changed)
HOOK(12, export_state)
HOOK(13, import_state)
HOOK(14, migrate)
HOOK(15, migrate_back)

static midplane_plugin_table table;

static void fill(void) {
  const midplane_hook hooks[] = {get_info,     validate_config,    init,         start,        stop,    cleanup,
                                 health_check, ping,               get_config,   update_config, handle_event,
                                 dependency_changed, export_state, import_state, migrate,      migrate_back};
  midplane_hook *fields = &table.plugin_get_info;
  uint32_t has = midplaneGoHooks();
  table.size = sizeof table;
  table.abi_major = MIDPLANE_ABI_MAJOR;
  table.abi_minor = MIDPLANE_ABI_MINOR;
  table.plugin_resolve_action = resolve;
  table.plugin_call = call_action;
  table.plugin_create = create;
  table.plugin_destroy = destroy;
  for (size_t number = 0; number < sizeof hooks / sizeof *hooks; number++)
    fields[number] = has >> number & 1 ? hooks[number] : NULL;
}

MIDPLANE_EXPORT const midplane_plugin_table *midplane_plugin(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, fill);
  return &table;
}

// Keeps the host's answer until Go has it.
static void keep(void *context, const uint8_t *data, size_t len) {
  midplane_go_answer *answer = context;
  answer->data = malloc(len > 0 ? len : 1);
  if (answer->data == NULL) return;
  memcpy(answer->data, data, len);
  answer->len = len;
}

midplane_status midplane_go_ask(const midplane_host *host, midplane_call *call, pthread_t owner, const char *function,
                                size_t function_len, const char *args, size_t args_len, const uint8_t *payload,
                                size_t payload_len, midplane_go_answer *answer) {
  // Another goroutine's question is work of the plugin's own: a call may be used on its own thread only.
  if (call != NULL && !pthread_equal(pthread_self(), owner)) call = NULL;
  return host->host_call(host, call, function, function_len, args, args_len, payload, payload_len, keep, answer);
}

midplane_status midplane_go_write(midplane_call *call, pthread_t owner, const uint8_t *data, size_t len) {
  if (!pthread_equal(pthread_self(), owner)) return MIDPLANE_GO_STRANGER;
  return call->host->reply_write(call, data, len);
}

void midplane_go_fail(midplane_call *call, const char *code, size_t code_len, const char *message, size_t message_len,
                      int32_t recoverable, const char *data, size_t data_len) {
  call->host->error_set(call, code, code_len, message, message_len, recoverable, data, data_len);
}
