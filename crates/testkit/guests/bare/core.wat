;; A plugin without any hook but those that the ABI of core modules requires, which do nothing. Its one action answers
;; with what the host says to `config.get` of `color`: contract/core-wasm.md.
(module
  (import "midplane" "host_call" (func $host_call (param i32 i32 i32 i32 i32 i32) (result i64)))
  (import "midplane" "host_result" (func $host_result (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 1024) "config.get")
  (data (i32.const 1040) "{\"key\":\"color\"}")

  (func (export "plugin_init") (param i32 i32) (result i32) (i32.const 0))
  (func (export "plugin_start"))
  (func (export "plugin_stop"))
  (func (export "plugin_cleanup"))
  (func (export "plugin_get_info") (result i64) (i64.const 0))

  ;; Bit 31 of the answer's length says that it is an error, and so it does in what an action returns.
  (func (export "plugin_color") (param i32 i32) (result i64)
    (local $length i64)
    (local.set $length (call $host_call
      (i32.const 1024) (i32.const 10) (i32.const 1040) (i32.const 15) (i32.const 0) (i32.const 0)))
    (call $host_result (i32.const 2048))
    (i64.or (i64.shl (i64.const 2048) (i64.const 32)) (local.get $length))))
