/* Prints the size of each struct of the ABI and the offset of each field, one per line. */
#include "midplane.h"

#include <stdio.h>

#define SIZE(type) printf(#type " %u\n", (unsigned)sizeof(type))
#define AT(type, field) printf(#type "." #field " %u\n", (unsigned)offsetof(type, field))

int main(void) {
  SIZE(midplane_host);
  AT(midplane_host, reply_write);
  AT(midplane_host, error_set);
  AT(midplane_host, host_call);
  SIZE(midplane_call);
  AT(midplane_call, host);
  SIZE(midplane_instance_info);
  AT(midplane_instance_info, generation);
  AT(midplane_instance_info, version_len);
  SIZE(midplane_plugin_table);
  AT(midplane_plugin_table, plugin_resolve_action);
  AT(midplane_plugin_table, plugin_call);
  AT(midplane_plugin_table, plugin_create);
  AT(midplane_plugin_table, plugin_destroy);
  AT(midplane_plugin_table, plugin_get_info);
  AT(midplane_plugin_table, plugin_validate_config);
  AT(midplane_plugin_table, plugin_migrate_back);
  return 0;
}
