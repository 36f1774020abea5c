//! Finds everything that is only types.

use oxc_ast::ast::{
    ArrowFunctionExpression, Class, Declaration, Decorator, ExportDefaultDeclarationKind, ExportSpecifier, Expression,
    FormalParameter, Function, ImportDeclarationSpecifier, ImportOrExportKind, Statement, TSAsExpression,
    TSNamespaceDeclaration, TSNamespaceDeclarationBody, TSNonNullExpression, TSSatisfiesExpression, TSTypeAnnotation,
    TSTypeAssertion, TSTypeParameterDeclaration, TSTypeParameterInstantiation, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::ScopeFlags;

use super::blanks::Blanks;

/// Walks a program and collects its types.
pub(super) struct Eraser<'s> {
    pub(super) source: &'s str,
    pub(super) blanks: Blanks,
    /// The first thing that is more than types: where, and what.
    pub(super) refused: Option<(usize, &'static str)>,
}

impl<'s> Eraser<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, blanks: Blanks::default(), refused: None }
    }

    pub(super) fn refuse(&mut self, span: Span, what: &'static str) {
        let at = span.start as usize;
        if self.refused.is_none_or(|(first, _)| at < first) {
            self.refused = Some((at, what));
        }
    }

    /// Takes out something that stood by itself. A semicolon keeps its neighbours apart.
    pub(super) fn erase(&mut self, span: Span) {
        self.blanks.gap(span);
        self.blanks.letter(span.start as usize, ';');
    }

    /// The next place that is neither blank nor comment.
    pub(super) fn skip(&self, from: usize) -> usize {
        let mut at = from;
        loop {
            let rest = self.source.get(at..).unwrap_or_default();
            let trimmed = rest.trim_start();
            at += rest.len() - trimmed.len();
            let comment = if trimmed.starts_with("//") {
                trimmed.find('\n').unwrap_or(trimmed.len())
            } else if trimmed.starts_with("/*") {
                trimmed.find("*/").map_or(trimmed.len(), |end| end + 2)
            } else {
                return at;
            };
            at += comment;
        }
    }

    /// Whether this is what comes next.
    pub(super) fn is_next(&self, at: usize, what: &str) -> bool {
        self.source.get(at..).is_some_and(|rest| rest.starts_with(what))
    }

    fn has_line_end(&self, start: usize, end: usize) -> bool {
        self.source.get(start..end).is_some_and(|text| text.contains(['\n', '\r', '\u{2028}', '\u{2029}']))
    }

    /// Takes out one of several in a list, with the comma behind it.
    fn erase_from_list(&mut self, span: Span) {
        let end = span.end as usize;
        let next = self.skip(end);
        let end = if self.is_next(next, ",") { next + 1 } else { end };
        self.blanks.between(span.start as usize, end);
    }

    /// Declarations that are only types, or say what is elsewhere. True when that is what it was.
    fn declaration(&mut self, declaration: &Declaration<'_>, whole: Span) -> bool {
        let erased = match declaration {
            Declaration::TSTypeAliasDeclaration(_)
            | Declaration::TSInterfaceDeclaration(_)
            | Declaration::TSGlobalDeclaration(_)
            | Declaration::TSExternalModuleDeclaration(_) => true,
            Declaration::VariableDeclaration(it) => it.declare,
            Declaration::FunctionDeclaration(it) => it.declare || it.body.is_none(),
            Declaration::ClassDeclaration(it) => it.declare,
            Declaration::TSEnumDeclaration(it) if !it.declare => {
                self.refuse(whole, "an enum");
                true
            }
            Declaration::TSNamespaceDeclaration(it) if !it.declare && has_code(it) => {
                self.refuse(whole, "a namespace with code in it");
                true
            }
            Declaration::TSImportEqualsDeclaration(it) if it.import_kind == ImportOrExportKind::Value => {
                self.refuse(whole, "`import … =`");
                true
            }
            Declaration::TSEnumDeclaration(_)
            | Declaration::TSNamespaceDeclaration(_)
            | Declaration::TSImportEqualsDeclaration(_) => true,
        };
        if erased {
            self.erase(whole);
        }
        erased
    }

    /// Statements that go as a whole. True when that is what it was.
    fn whole(&mut self, it: &Statement<'_>) -> bool {
        let erased = match it {
            Statement::ImportDeclaration(it) => it.import_kind == ImportOrExportKind::Type,
            Statement::ExportAllDeclaration(it) => it.export_kind == ImportOrExportKind::Type,
            Statement::ExportNamedDeclaration(it) => it.export_kind == ImportOrExportKind::Type,
            Statement::ExportFromDeclaration(it) => it.export_kind == ImportOrExportKind::Type,
            Statement::ExportDeclaration(export) => return self.declaration(&export.declaration, export.span),
            Statement::ExportDefaultDeclaration(export) => match &export.declaration {
                ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => true,
                ExportDefaultDeclarationKind::FunctionDeclaration(function) => function.body.is_none(),
                _ => false,
            },
            Statement::TSNamespaceExportDeclaration(_) => true,
            Statement::TSExportAssignment(it) => {
                self.refuse(it.span, "`export =`");
                true
            }
            it => return it.as_declaration().is_some_and(|declaration| self.declaration(declaration, it.span())),
        };
        if erased {
            self.erase(it.span());
        }
        erased
    }
}

/// Whether a namespace leaves something behind.
fn has_code(namespace: &TSNamespaceDeclaration<'_>) -> bool {
    let body = match &namespace.body {
        TSNamespaceDeclarationBody::TSNamespaceDeclaration(inner) => return has_code(inner),
        TSNamespaceDeclarationBody::TSModuleBlock(block) => &block.body,
    };
    let is_type = |declaration: &Declaration<'_>| match declaration {
        Declaration::TSTypeAliasDeclaration(_) | Declaration::TSInterfaceDeclaration(_) => true,
        Declaration::TSNamespaceDeclaration(inner) => inner.declare || !has_code(inner),
        _ => false,
    };
    !body.iter().all(|statement| match statement {
        Statement::ExportDeclaration(export) => is_type(&export.declaration),
        other => other.as_declaration().is_some_and(is_type),
    })
}

/// Whether a statement may end without a semicolon just before its types did.
fn ends_in_expression(it: &Statement<'_>) -> bool {
    match it {
        Statement::ExpressionStatement(_)
        | Statement::ReturnStatement(_)
        | Statement::ThrowStatement(_)
        | Statement::VariableDeclaration(_)
        | Statement::ExportDefaultDeclaration(_) => true,
        Statement::ExportDeclaration(it) => matches!(it.declaration, Declaration::VariableDeclaration(_)),
        _ => false,
    }
}

impl<'a> Visit<'a> for Eraser<'_> {
    fn visit_statement(&mut self, it: &Statement<'a>) {
        if self.whole(it) {
            return;
        }
        let mark = self.blanks.mark();
        walk::walk_statement(self, it);
        let end = it.span().end as usize;
        if ends_in_expression(it) && !self.source.get(..end).is_some_and(|text| text.ends_with(';')) {
            self.blanks.end(mark, end);
        }
    }

    fn visit_ts_type_annotation(&mut self, it: &TSTypeAnnotation<'a>) {
        self.blanks.gap(it.span);
    }

    fn visit_ts_type_parameter_declaration(&mut self, it: &TSTypeParameterDeclaration<'a>) {
        self.blanks.gap(it.span);
    }

    fn visit_ts_type_parameter_instantiation(&mut self, it: &TSTypeParameterInstantiation<'a>) {
        self.blanks.gap(it.span);
    }

    fn visit_ts_as_expression(&mut self, it: &TSAsExpression<'a>) {
        self.visit_expression(&it.expression);
        self.after(&it.expression, it.span);
    }

    fn visit_ts_satisfies_expression(&mut self, it: &TSSatisfiesExpression<'a>) {
        self.visit_expression(&it.expression);
        self.after(&it.expression, it.span);
    }

    fn visit_ts_non_null_expression(&mut self, it: &TSNonNullExpression<'a>) {
        self.visit_expression(&it.expression);
        self.after(&it.expression, it.span);
    }

    fn visit_ts_type_assertion(&mut self, it: &TSTypeAssertion<'a>) {
        self.refuse(it.span, "a type assertion in angle brackets");
    }

    fn visit_decorator(&mut self, it: &Decorator<'a>) {
        self.refuse(it.span, "a decorator");
    }

    fn visit_import_declaration_specifier(&mut self, it: &ImportDeclarationSpecifier<'a>) {
        if let ImportDeclarationSpecifier::ImportSpecifier(named) = it
            && named.import_kind == ImportOrExportKind::Type
        {
            self.erase_from_list(named.span);
        }
    }

    fn visit_export_specifier(&mut self, it: &ExportSpecifier<'a>) {
        if it.export_kind == ImportOrExportKind::Type {
            self.erase_from_list(it.span);
        }
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if let (true, Some(types)) = (it.definite, &it.type_annotation) {
            self.blanks.between(it.id.span().end as usize, types.span.start as usize);
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if let Some(this) = &it.this_param {
            self.erase_from_list(this.span);
        }
        walk::walk_function(self, it, flags);
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        if it.accessibility.is_some() || it.readonly || it.r#override {
            self.refuse(it.span, "a parameter property");
        }
        if it.optional {
            let end = it.pattern.span().end as usize;
            let mark = self.skip(end);
            self.blanks.between(end, mark + 1);
        }
        walk::walk_formal_parameter(self, it);
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        walk::walk_arrow_function_expression(self, it);
        let params = it.params.span;
        let (open, close) = (params.start as usize, (params.end as usize).saturating_sub(1));
        // No line may end before the parameters or before the arrow: the parentheses move over the types.
        if let Some(types) = &it.type_parameters
            && self.has_line_end(types.span.start as usize, open)
        {
            self.blanks.letter(types.span.start as usize, '(');
            self.blanks.letter(open, ' ');
        }
        if let Some(types) = &it.return_type
            && self.has_line_end(close, types.span.end as usize)
        {
            self.blanks.letter(close, ' ');
            self.blanks.letter(types.span.end as usize - 1, ')');
        }
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        self.class(it);
    }
}

impl Eraser<'_> {
    /// Takes out what an expression carries behind it.
    fn after(&mut self, expression: &Expression<'_>, whole: Span) {
        self.blanks.between(expression.span().end as usize, whole.end as usize);
    }
}
