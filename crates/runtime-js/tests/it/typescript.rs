//! TypeScript plugins.

use midplane_contract::{Code, Limits};
use serde_json::json;

use crate::stage::Stage;

const GREETER: &str = "import { definePlugin, type Context } from 'midplane';
import type { Json } from 'midplane';

interface Greeting { name?: string }

abstract class Base<T> {
  protected readonly prefix: string = 'hello';
  abstract nothing(): T;
}

class Greeter extends Base<void> implements Partial<Greeting> {
  nothing(): void {}
  greet(input: Greeting | undefined, _ctx: Context): Json {
    return `${this.prefix} ${input?.name ?? 'you'}` as Json;
  }
  fails(): never {
    const nothing = undefined as any
    return nothing.value!
  }
}

export default Greeter;
";

#[test]
fn types_are_stripped_and_lines_stay() {
    let stage = Stage::new();
    stage.load_with("typed", &[("plugin.ts", GREETER)], Limits::default());
    assert_eq!(stage.json("typed/greet", r#"{"name":"x"}"#), json!("hello x"));
    let error = stage.call("typed/fails", "").unwrap_err();
    let stack = error.record().data["stack"].as_str().unwrap();
    assert!(stack.contains("plugin.ts:18:"), "{stack}");
}

#[test]
fn what_is_more_than_types_is_refused_with_its_line() {
    let stage = Stage::new();
    for (id, source, line) in [
        ("enum", "let a: number;\nenum Color { Red }", "plugin.ts:2:1: an enum"),
        ("space", "namespace N {\n  export const a = 1;\n}", "plugin.ts:1:1: a namespace"),
        ("decorated", "function d(x: unknown) {}\nclass A {\n  @d b() {}\n}", "plugin.ts:3:3: a decorator"),
        ("property", "class A {\n  constructor(private a: string) {}\n}", "plugin.ts:2:15: a parameter property"),
        ("broken", "const a: = 1;", "plugin.ts:1:"),
    ] {
        let error = stage.fails_to_load(id, &[("plugin.ts", source)]);
        assert_eq!(error.code(), Code::NotAPlugin);
        assert!(error.record().message.contains(line), "{id}: {error}");
    }
}
