//go:build wasip1 && go1.24

package module

import (
	"unsafe"

	"midplane.dev/sdk/go/internal/seam"
)

// Every hook has an export; plugin_hooks says which of them the plugin has.

//go:wasmexport plugin_get_info
func pluginGetInfo() uint64 { return hook(seam.Info, nil, 0) }

//go:wasmexport plugin_validate_config
func pluginValidateConfig(input unsafe.Pointer, length uint32) uint64 {
	return hook(seam.ValidateConfig, input, length)
}

//go:wasmexport plugin_init
func pluginInit(input unsafe.Pointer, length uint32) uint64 { return hook(seam.Init, input, length) }

//go:wasmexport plugin_start
func pluginStart(input unsafe.Pointer, length uint32) uint64 { return hook(seam.Start, input, length) }

//go:wasmexport plugin_stop
func pluginStop(input unsafe.Pointer, length uint32) uint64 { return hook(seam.Stop, input, length) }

//go:wasmexport plugin_cleanup
func pluginCleanup(input unsafe.Pointer, length uint32) uint64 {
	return hook(seam.Cleanup, input, length)
}

//go:wasmexport plugin_health_check
func pluginHealth(input unsafe.Pointer, length uint32) uint64 {
	return hook(seam.Health, input, length)
}

//go:wasmexport plugin_ping
func pluginPing(input unsafe.Pointer, length uint32) uint64 { return hook(seam.Ping, input, length) }

//go:wasmexport plugin_get_config
func pluginGetConfig(input unsafe.Pointer, length uint32) uint64 {
	return hook(seam.GetConfig, input, length)
}

//go:wasmexport plugin_update_config
func pluginConfigChanged(input unsafe.Pointer, length uint32) uint64 {
	return hook(seam.ConfigChanged, input, length)
}

//go:wasmexport plugin_handle_event
func pluginEvent(input unsafe.Pointer, length uint32) uint64 { return hook(seam.Event, input, length) }

//go:wasmexport plugin_dependency_changed
func pluginDependencyChanged(input unsafe.Pointer, length uint32) uint64 {
	return hook(seam.DependencyChanged, input, length)
}

//go:wasmexport plugin_export_state
func pluginExportState(input unsafe.Pointer, length uint32) uint64 {
	return hook(seam.ExportState, input, length)
}

//go:wasmexport plugin_import_state
func pluginImportState(input unsafe.Pointer, length uint32) uint64 {
	return hook(seam.ImportState, input, length)
}

//go:wasmexport plugin_migrate
func pluginMigrate(input unsafe.Pointer, length uint32) uint64 {
	return hook(seam.Migrate, input, length)
}

//go:wasmexport plugin_migrate_back
func pluginMigrateBack(input unsafe.Pointer, length uint32) uint64 {
	return hook(seam.MigrateBack, input, length)
}
