;; The core module of a component without any hook: contract/plugin.wit. Its one action answers with what the host says to
;; `config.get` of `color`. Results lie where the memory is zero unless it is said otherwise.
(module
  (import "midplane:plugin/host@1.0.0" "request" (func $request (param i32 i32 i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 1024) "config.get")
  (data (i32.const 1040) "{\"key\":\"color\"}")
  (data (i32.const 1060) "{\"actions\":[\"color\"]}")
  (global $next (mut i32) (i32.const 4096))

  ;; Goes forward in one page and begins again.
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (if (i32.gt_u (i32.add (global.get $next) (local.get 3)) (i32.const 65536))
      (then (global.set $next (i32.const 4096))))
    (local.set $at (global.get $next))
    (global.set $next (i32.and (i32.add (i32.add (local.get $at) (local.get 3)) (i32.const 7)) (i32.const -8)))
    (local.get $at))

  ;; No bit of a hook is set.
  (func (export "midplane:plugin/guest@1.0.0#describe") (result i32)
    (i32.store (i32.const 64) (i32.const 1060))
    (i32.store (i32.const 68) (i32.const 21))
    (i32.const 64))
  (func (export "midplane:plugin/guest@1.0.0#identify") (param i32 i32))
  ;; Every name is the action 0.
  (func (export "midplane:plugin/guest@1.0.0#resolve-action") (param i32 i32) (result i32)
    (i32.store (i32.const 80) (i32.const 1))
    (i32.const 80))
  ;; The host's result has the shape of the action's own.
  (func (export "midplane:plugin/guest@1.0.0#call") (param i32 i32 i32) (result i32)
    (call $request (i32.const 1024) (i32.const 10) (i32.const 1040) (i32.const 15) (i32.const 0) (i32.const 0) (i32.const 96))
    (i32.const 96))
  ;; There is no such hook.
  (func (export "midplane:plugin/guest@1.0.0#hook") (param i32 i32 i32) (result i32) (i32.const 160)))
