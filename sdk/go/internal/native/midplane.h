/*
 * midplane.h - the C ABI between Midplane and native plugins. ABI 1.0.
 *
 * A plugin is a shared library that exports one function, midplane_plugin(), which returns a constant table of what
 * the plugin has. The host calls through that table; the plugin reaches the host through the midplane_host that each
 * instance is given, and answers a call through the midplane_call that comes with it. C99 and C++, no dependency.
 *
 * Growth. Every struct here begins with its size in bytes as its maker knows it, and only ever grows at its end. A
 * reader uses a field only where `size` covers it. Plugins and hosts of one major version work together, whichever is
 * older; another major version is refused with `abi_mismatch`.
 *
 * Bytes and text. A pointer comes with a length in bytes; text is UTF-8 and is not terminated by a zero. Where the
 * length is 0 the pointer may be anything and is not read. Whoever passes a pointer keeps what it points at: it is
 * valid until the function that took it returns, and whoever wants to keep it copies it. The only exceptions are the
 * plugin's table, which lives as long as the library is loaded, and the midplane_host of an instance, which lives
 * until plugin_destroy of that instance has returned. Nothing is ever freed on the other side.
 *
 * Threads. midplane_plugin, plugin_get_info and plugin_resolve_action may be called on any thread at any time, also
 * while instances are busy. Everything that takes an instance is called by one thread at a time, but not always by the
 * same one. A midplane_call may be used only on the thread that brought it, and only until that function returns.
 * midplane_host.host_call with a null call may be used on any thread until plugin_destroy returns. Threads that a
 * plugin starts must have ended when plugin_destroy returns: the library may be unmapped right after.
 *
 * Errors. A function that fails says why with midplane_host.error_set and returns MIDPLANE_ERROR. No exception, panic
 * or longjmp may leave a function of the table: a C++ plugin catches what it throws, or the process ends.
 */
#ifndef MIDPLANE_H
#define MIDPLANE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MIDPLANE_ABI_MAJOR 1u
#define MIDPLANE_ABI_MINOR 0u

#if defined(_WIN32)
#define MIDPLANE_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define MIDPLANE_EXPORT __attribute__((visibility("default")))
#else
#define MIDPLANE_EXPORT
#endif

/* How a function ended. Any other value is a `protocol_error`. */
typedef int32_t midplane_status;
#define MIDPLANE_OK 0
/* It failed; error_set said why, or, where the host refused reply_write, the host knows. */
#define MIDPLANE_ERROR 1
/* The plugin's code panicked or threw and was caught; error_set said what it said. The instance is destroyed next. */
#define MIDPLANE_PANICKED 2

typedef struct midplane_host midplane_host;
typedef struct midplane_call midplane_call;

/*
 * Takes the answer of midplane_host.host_call: called at most once, before host_call returns, on the same thread.
 * `context` is what the plugin passed. With MIDPLANE_OK the bytes are the answer; otherwise they are a JSON object
 * {"code", "message", "recoverable", "data"}.
 */
typedef void (*midplane_sink)(void *context, const uint8_t *data, size_t len);

/* The host as one instance sees it. Made by the host; the plugin keeps the pointer it gets in plugin_create. */
struct midplane_host {
  uint32_t size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t reserved;

  /*
   * Appends to the reply of a call or hook; where the caller reads a stream, hands on one chunk, and may block until
   * there is room. Other than MIDPLANE_OK means that nobody wants more (too large, cancelled, deadline): the plugin
   * then returns MIDPLANE_ERROR soon, and need not call error_set.
   */
  midplane_status (*reply_write)(midplane_call *call, const uint8_t *data, size_t len);

  /*
   * Says why a call or hook fails. The last one before the return counts, and only if that is MIDPLANE_ERROR or
   * MIDPLANE_PANICKED. `code` is the plugin's own, at most 128 bytes; `message` is for people, at most 16 KiB (what is
   * longer is cut); `data` is a JSON object, at most 64 KiB, or empty. `recoverable` other than 0 says that the same
   * call may succeed later.
   */
  void (*error_set)(midplane_call *call, const char *code, size_t code_len, const char *message, size_t message_len,
                    int32_t recoverable, const char *data, size_t data_len);

  /*
   * Asks the host for something: `function` is a name of the host API ("log", "state.get", "call", ...), `args` its
   * arguments as a JSON object (empty means {}; at most 64 KiB), `payload` its bytes where it takes any. Blocks until
   * answered. With a call, it is asked within that call: its deadline, its trace and the chain of its callers hold;
   * with a null call it is background work of the plugin's own. `sink` may be null when the answer is of no interest.
   * Returns MIDPLANE_OK or MIDPLANE_ERROR.
   */
  midplane_status (*host_call)(const midplane_host *host, midplane_call *call, const char *function,
                               size_t function_len, const char *args, size_t args_len, const uint8_t *payload,
                               size_t payload_len, midplane_sink sink, void *sink_context);
};

/* One call or hook in progress. Made by the host. */
struct midplane_call {
  uint32_t size;
  uint32_t reserved;
  /* The host of the instance; also there in plugin_get_info, where it answers host_call with `not_supported`. */
  const midplane_host *host;
};

/* What an instance is told about itself. */
typedef struct midplane_instance_info {
  uint32_t size;
  /* The instance's number within its generation, from 0. */
  uint32_t number;
  /* Which loaded version of the plugin this is; grows with each reload. */
  uint64_t generation;
  /* The plugin's id and version. */
  const char *id;
  size_t id_len;
  const char *version;
  size_t version_len;
} midplane_instance_info;

/*
 * Any hook. `instance` is what plugin_create made. Input and reply are those of the contract's hook, the reply goes
 * through call->host->reply_write. A null field means that the plugin has no such hook.
 */
typedef midplane_status (*midplane_hook)(void *instance, const uint8_t *input, size_t input_len, midplane_call *call);

/*
 * What a plugin has. Static data of the library. Required are: size, the version, plugin_resolve_action and
 * plugin_call. All else may be null.
 */
typedef struct midplane_plugin_table {
  /* sizeof(midplane_plugin_table) when the plugin was compiled; at most 4096. */
  uint32_t size;
  /* MIDPLANE_ABI_MAJOR and MIDPLANE_ABI_MINOR when the plugin was compiled. */
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t reserved;

  /*
   * The number of an action, from 0; negative where there is no action of that name. Asked once per action and load,
   * so the answer must not change while the library is loaded.
   */
  int32_t (*plugin_resolve_action)(const char *name, size_t name_len);

  /* Runs an action. `action` is a number that plugin_resolve_action gave. The reply goes through reply_write. */
  midplane_status (*plugin_call)(void *instance, int32_t action, const uint8_t *input, size_t input_len,
                                 midplane_call *call);

  /*
   * Makes an instance and stores it in *instance (not null). `host` lives until plugin_destroy returns. Without this
   * function every instance is null: for plugins without state.
   */
  midplane_status (*plugin_create)(const midplane_host *host, const midplane_instance_info *info, midplane_call *call,
                                   void **instance);

  /* Ends an instance: frees it, and joins its threads. Not called for one that plugin_create did not make. */
  void (*plugin_destroy)(void *instance);

  /* The hooks, in the contract's order. plugin_get_info is called without an instance (null). */
  midplane_hook plugin_get_info;
  midplane_hook plugin_validate_config;
  midplane_hook plugin_init;
  midplane_hook plugin_start;
  midplane_hook plugin_stop;
  midplane_hook plugin_cleanup;
  midplane_hook plugin_health_check;
  midplane_hook plugin_ping;
  midplane_hook plugin_get_config;
  midplane_hook plugin_update_config;
  midplane_hook plugin_handle_event;
  midplane_hook plugin_dependency_changed;
  midplane_hook plugin_export_state;
  midplane_hook plugin_import_state;
  midplane_hook plugin_migrate;
  midplane_hook plugin_migrate_back;
} midplane_plugin_table;

/* The one function that a plugin library exports. */
MIDPLANE_EXPORT const midplane_plugin_table *midplane_plugin(void);

#ifdef __cplusplus
}
#endif

#endif
