use super::*;

fn html(markdown: &str) -> String {
    render(markdown.as_bytes(), Options::default()).unwrap()
}

fn plain(markdown: &str) -> String {
    render(markdown.as_bytes(), Options { no_heading_ids: true, raw_html: RawHtml::Allow, ..Options::default() })
        .unwrap()
}

/// Examples of the CommonMark specification 0.31.2, by number.
#[test]
fn examples_of_the_commonmark_specification_come_out_as_printed() {
    for (number, markdown, expected) in [
        (13, "+++\n", "<p>+++</p>\n"),
        (43, "***\n---\n___\n", "<hr />\n<hr />\n<hr />\n"),
        (
            80,
            "Foo *bar*\n=========\n\nFoo *bar*\n---------\n",
            "<h1>Foo <em>bar</em></h1>\n<h2>Foo <em>bar</em></h2>\n",
        ),
        (119, "```\n<\n >\n```\n", "<pre><code>&lt;\n &gt;\n</code></pre>\n"),
        (228, "> # Foo\n> bar\n> baz\n", "<blockquote>\n<h1>Foo</h1>\n<p>bar\nbaz</p>\n</blockquote>\n"),
        (328, "`foo`\n", "<p><code>foo</code></p>\n"),
        (350, "*foo bar*\n", "<p><em>foo bar</em></p>\n"),
        (378, "**foo bar**\n", "<p><strong>foo bar</strong></p>\n"),
        (482, "[link](/uri \"title\")\n", "<p><a href=\"/uri\" title=\"title\">link</a></p>\n"),
        (613, "<a><bab><c2c>\n", "<p><a><bab><c2c></p>\n"),
    ] {
        assert_eq!(plain(markdown), expected, "example {number}");
    }
}

/// Example 198 of the GitHub Flavored Markdown specification, in pulldown-cmark's own line breaks.
#[test]
fn tables_strikethrough_and_task_lists_are_rendered() {
    let table = html("| foo | bar |\n| --- | :-: |\n| baz | bim |\n");
    let squeezed: String = table.split('\n').collect();
    assert_eq!(
        squeezed,
        "<table><thead><tr><th>foo</th><th style=\"text-align: center\">bar</th></tr></thead><tbody><tr><td>baz</td><td style=\"text-align: center\">bim</td></tr></tbody></table>"
    );
    assert!(html("~~Hi~~ Hello").contains("<del>Hi</del>"));
    assert!(html("- [x] done").contains("checked"));
}

#[test]
fn a_footnote_and_its_reference_point_at_each_other() {
    let page = html("Text[^a].\n\n[^a]: The note.\n");
    assert!(page.contains("href=\"#fn-a\""), "{page}");
    assert!(page.contains("id=\"fn-a\""), "{page}");
}

#[test]
fn headings_have_ids_made_of_their_text() {
    let page = html("# Hello, *World* `x`!\n\n# Hello, World x\n");
    assert!(page.contains("<h1 id=\"hello-world-x\">"), "{page}");
    assert!(page.contains("<h1 id=\"hello-world-x-1\">"), "{page}");
}

#[test]
fn html_in_the_document_is_shown_as_text_unless_allowed() {
    let evil = "<script>alert(1)</script>\n\nHi <img src=x onerror=alert(1)> there\n";
    let page = html(evil);
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    assert!(page.contains("&lt;script&gt;"), "{page}");
    let stripped = render(evil.as_bytes(), Options { raw_html: RawHtml::Strip, ..Options::default() }).unwrap();
    assert!(!stripped.contains("script") && !stripped.contains("onerror"), "{stripped}");
    let allowed = render(evil.as_bytes(), Options { raw_html: RawHtml::Allow, ..Options::default() }).unwrap();
    assert!(allowed.contains("<script>alert(1)</script>"), "{allowed}");
}

#[test]
fn no_document_puts_code_or_attributes_of_its_own_into_a_safe_page() {
    for evil in [
        "[a](javascript:alert(1))",
        "[a](JAVASCRIPT:alert(1))",
        "[a](java&#x09;script:alert(1))",
        "[a](&#106;avascript:alert(1))",
        "<javascript:alert(1)>",
        "![a](javascript:alert(1))",
        "![a](data:text/html;base64,PHNjcmlwdD4=)",
        "[a]\n\n[a]: javascript:alert(1)",
        "[a](x\"onmouseover=\"alert(1))",
        "# x {onclick=alert(1)}",
        "![\"onerror=\"alert(1)](x)",
        "[^\"onclick=\"x]\n\n[^\"onclick=\"x]: y",
        "```\"onclick=\"x\n```",
    ] {
        let page = html(evil);
        let lower = page.to_lowercase();
        assert!(!lower.contains("href=\"javascript") && !lower.contains("src=\"javascript"), "{evil}: {page}");
        assert!(!lower.contains("\"data:text"), "{evil}: {page}");
        for attribute in ["\"onmouseover", "\"onerror", "\"onclick", " onclick=\""] {
            assert!(!lower.contains(attribute), "{evil}: {page}");
        }
    }
}

#[test]
fn what_is_not_a_text_is_refused_with_the_place() {
    let error = render(b"abc\xff", Options::default()).unwrap_err();
    assert_eq!(error, RenderError::NotUtf8 { offset: 3 });
    assert_eq!(render(&vec![b'a'; DOCUMENT_CAP + 1], Options::default()).unwrap_err().code(), "too_large");
    assert_eq!(render("\u{feff}# x".as_bytes(), Options::default()).unwrap(), html("# x"));
    assert_eq!(html(""), "");
}

#[test]
fn deep_nesting_ends() {
    for piece in ["> ", "- ", "[", "*a ", "![", "`", "<a ", "[^"] {
        let page = html(&piece.repeat(20_000));
        assert!(!page.is_empty());
    }
}
