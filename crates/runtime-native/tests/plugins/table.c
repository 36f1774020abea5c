/* A plugin whose table is what the test says: -DTABLE={...}, -DENTRY=expression. */
#include "midplane.h"

int32_t resolve(const char *name, size_t len) { return name == NULL || len == 0 ? -1 : 0; }

midplane_status call(void *instance, int32_t action, const uint8_t *input, size_t len, midplane_call *in) {
  (void)instance, (void)action;
  return in->host->reply_write(in, input, len);
}

midplane_status create_nothing(const midplane_host *host, const midplane_instance_info *info, midplane_call *in,
                               void **instance) {
  (void)host, (void)info, (void)in, (void)instance;
  return MIDPLANE_OK;
}

midplane_status bad_info(void *instance, const uint8_t *input, size_t len, midplane_call *in) {
  (void)instance, (void)input, (void)len;
  return in->host->reply_write(in, (const uint8_t *)"{\"version\":\"one\"}", 17);
}

#ifndef TABLE
#define TABLE {sizeof(midplane_plugin_table), 1, 0, 0, resolve, call}
#endif
static const struct {
  midplane_plugin_table table;
  /* A future host's fields. */
  void *more[8];
} made = {TABLE, {0}};

#ifndef ENTRY
#define ENTRY (&made.table)
#endif
const midplane_plugin_table *midplane_plugin(void) { return ENTRY; }
