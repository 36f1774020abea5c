use midplane_contract::Code;

use super::strip;

fn js(source: &str) -> String {
    let text = strip("test.ts", source.to_owned()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(text.chars().count(), source.chars().count(), "{text}");
    let lines = |text: &str| text.lines().map(|line| line.chars().count()).collect::<Vec<_>>();
    assert_eq!(lines(&text), lines(source), "{text}");
    text
}

/// Without blanks at all.
fn dense(source: &str) -> String {
    js(source).split_whitespace().collect()
}

#[test]
fn annotations_become_blanks() {
    assert_eq!(js("let x: number = 1;"), "let x         = 1;");
    assert_eq!(js("const größe: Map<string, 'ä'> = f(a);"), "const größe                   = f(a);");
    assert_eq!(
        js("function f(this: Foo, a?: A, ...b: B[]): asserts a is C { return a! }"),
        "function f(           a    , ...b     )                 { return a; }"
    );
    assert_eq!(dense("const f = async <T,>(x: T): Promise<T> => x as unknown as T;"), "constf=async(x)=>x;");
    assert_eq!(dense("try {} catch (e: unknown) {}"), "try{}catch(e){}");
    assert_eq!(dense("new Map<string, number>(); f<A>(b); tag<T>`x`; a satisfies B;"), "newMap();f(b);tag`x`;a;");
    assert_eq!(dense("let a!: string, {b, c}: D = e, [g]: [H] = i;"), "leta,{b,c}=e,[g]=i;");
    assert_eq!(dense("for (const x of <any[]>y as Z[]) {}".replace("<any[]>", "").as_str()), "for(constxofy){}");
}

#[test]
fn declarations_of_types_go_whole() {
    assert_eq!(dense("type A = {\n b: C;\n};\ninterface D extends E {}\nx()"), ";;x()");
    assert_eq!(
        dense("declare const a: B; declare function f(): void; declare class C {} declare module 'm' {} x"),
        ";;;;x"
    );
    assert_eq!(dense("function f(a: string): void;\nfunction f(a) {}"), ";functionf(a){}");
    assert_eq!(dense("export type A = B; export interface C {} export default interface D {}"), ";;;");
    assert_eq!(
        dense("namespace N { export type A = B } declare namespace M { const a: 1 } declare enum E { A }"),
        ";;;"
    );
}

#[test]
fn imports_and_exports_of_types_go() {
    assert_eq!(
        dense("import type { A } from './a'; import { type B, c, type D } from './b';"),
        ";import{c,}from'./b';"
    );
    assert_eq!(dense("export type { A } from './a'; export { type B, c }; export type * from './d';"), ";export{c};;");
    assert_eq!(dense("import { type A } from './a';"), "import{}from'./a';");
}

#[test]
fn classes_keep_what_is_code() {
    let source = "abstract class A<T> extends B<T> implements C, D {
  private readonly a: number = 1
  protected static b?: string
  declare c: D;
  abstract e(): void;
  [key: string]: unknown;
  public async *f<T>(this: A, x?: T): AsyncGenerator<T> { yield x! }
  override get g(): number { return 1 }
  constructor(a: string);
  constructor(public_: string) { super() }
  h!: T
  ['i']?(): void { }
}";
    let text = js(source);
    for kept in ["class A    extends B", "a         = 1", "async *f", "get g", "constructor(public_", "h;", "['i'] ()"]
    {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    for gone in
        ["abstract", "implements", "private", "readonly", "declare", "key", "override", "AsyncGenerator", "?", "!"]
    {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
}

#[test]
fn lines_that_types_kept_apart_stay_apart() {
    assert_eq!(dense("let a = b as any\n[1].map(f)"), "leta=b;[1].map(f)");
    assert_eq!(dense("let a = b as any\n(c)"), "leta=b;(c)");
    assert_eq!(dense("type A = B\n(c)"), ";(c)");
    assert_eq!(dense("class A { a: number\n ['b'] = 1 }"), "classA{a;['b']=1}");
    assert_eq!(dense("class A { a = 1\n public ['b'] = 1 }"), "classA{a=1;['b']=1}");
    assert_eq!(dense("class A { a = 1\n public *b() {} }"), "classA{a=1;*b(){}}");
    assert_eq!(dense("class A { get: number\n b() {} }"), "classA{get;b(){}}");
    assert_eq!(dense("if (a) b as C\nelse d"), "if(a)b;elsed");
    assert_eq!(dense("for (let i: number = 0 as number; i < 1; i++) {}"), "for(leti=0;i<1;i++){}");
}

#[test]
fn arrows_stay_behind_their_parentheses() {
    assert_eq!(js("f = (a): {\n  b: number\n} => a"), "f = (a    \n           \n) => a");
    assert_eq!(js("return_ = async <\n  T\n>(a: T) => a"), "return_ = async (\n   \n  a   ) => a");
}

#[test]
fn what_is_more_than_types_is_refused_with_its_line() {
    for (source, what) in [
        ("\nenum A { B }", "an enum"),
        ("\nconst enum A { B }", "an enum"),
        ("\nexport enum A { B }", "an enum"),
        ("\nnamespace A { export const b = 1 }", "a namespace"),
        ("\nclass A { constructor(private b: number) {} }", "a parameter property"),
        ("\n@dec class A {}", "a decorator"),
        ("\nclass A { @dec b() {} }", "a decorator"),
        ("\nimport a = require('a');", "`import … =`"),
        ("\nexport = a;", "`export =`"),
        ("\nlet a = <any>b;", "angle brackets"),
    ] {
        let error = strip("src/a.ts", source.to_owned()).unwrap_err();
        assert_eq!(error.code(), Code::NotAPlugin, "{source}");
        let message = &error.record().message;
        assert!(message.starts_with("src/a.ts:2:") && message.contains(what), "{message}");
        assert!(error.record().remedy.is_some());
    }
}

#[test]
fn what_is_no_typescript_is_refused_with_its_line() {
    let error = strip("a.ts", "let a = 1;\nlet b: = 2;".to_owned()).unwrap_err();
    assert!(error.record().message.starts_with("a.ts:2:"), "{error}");
    let error = strip("a.ts", "x".repeat(300_000)).unwrap_err();
    assert_eq!(error.code(), Code::LimitExceeded);
}

#[test]
fn no_nesting_costs_the_host_its_stack() {
    for piece in DEEP {
        for begin in ["", "let a: "] {
            // What the parser tries out and takes back takes time that grows with the square of the depth.
            let most = if SLOW.contains(&piece) { 4096 } else { super::MOST };
            let source = format!("{begin}{}", piece.repeat((most - begin.len()) / piece.len()));
            let _ = strip("deep.ts", source);
        }
    }
}

/// What the parser calls itself for.
const DEEP: [&str; 32] = [
    "(",
    "[",
    "{",
    "!",
    "-",
    "`${",
    "a=>",
    "let a:(",
    "f<",
    "typeof ",
    "new ",
    "if(1)",
    "a?",
    "let a:[",
    "keyof ",
    "class{a=",
    "a?(b:",
    "a?(b):(",
    "f<(",
    "a<b>(",
    "f<{a:",
    "(a:",
    "(a=",
    "async (",
    "<T>(",
    "x as (",
    "`${f<",
    "{a:",
    "...",
    "async()=>",
    "a as ",
    "let a: A<",
];

const SLOW: [&str; 5] = ["f<", "f<(", "f<{a:", "(a=", "`${f<"];
