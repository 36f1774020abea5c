//! Types in classes: modifiers, members without code, what stands behind names.

use oxc_ast::ast::{
    AccessorProperty, AccessorPropertyType, Class, ClassElement, MethodDefinition, MethodDefinitionType,
    PropertyDefinition, PropertyDefinitionType, PropertyKey,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};

use super::erase::Eraser;

/// Modifiers that JavaScript does not have.
const MODIFIERS: [&str; 7] = ["abstract", "declare", "override", "private", "protected", "public", "readonly"];

impl Eraser<'_> {
    pub(super) fn class(&mut self, it: &Class<'_>) {
        let keyword = self.keyword_of_class(it);
        for decorator in &it.decorators {
            self.visit_decorator(decorator);
        }
        let mut end = keyword + "class".len();
        if let Some(id) = &it.id {
            end = id.span.end as usize;
        }
        if let Some(types) = &it.type_parameters {
            self.visit_ts_type_parameter_declaration(types);
            end = types.span.end as usize;
        }
        if let Some(heritage) = &it.heritage {
            self.visit_expression(&heritage.expression);
            end = heritage.expression.span().end as usize;
            if let Some(types) = &heritage.type_arguments {
                self.visit_ts_type_parameter_instantiation(types);
                end = types.span.end as usize;
            }
        }
        if !it.implements.is_empty() {
            self.blanks.between(end, it.body.span.start as usize);
        }
        for element in &it.body.body {
            self.element(element);
        }
    }

    /// Where `class` stands; `abstract` before it goes.
    fn keyword_of_class(&mut self, it: &Class<'_>) -> usize {
        let mut at = it.decorators.last().map_or(it.span.start, |last| last.span.end) as usize;
        at = self.skip(at);
        for word in ["abstract", "declare"] {
            if self.is_next(at, word) {
                self.blanks.between(at, at + word.len());
                at = self.skip(at + word.len());
            }
        }
        at
    }

    fn element(&mut self, element: &ClassElement<'_>) {
        match element {
            ClassElement::StaticBlock(block) => walk::walk_static_block(self, block),
            ClassElement::TSIndexSignature(it) => self.erase(it.span),
            ClassElement::MethodDefinition(it) => self.method(it),
            ClassElement::PropertyDefinition(it) => self.property(it),
            ClassElement::AccessorProperty(it) => self.accessor(it),
        }
    }

    fn method(&mut self, it: &MethodDefinition<'_>) {
        it.decorators.iter().for_each(|decorator| self.visit_decorator(decorator));
        if it.r#type == MethodDefinitionType::TSAbstractMethodDefinition || it.value.body.is_none() {
            return self.erase(it.span);
        }
        self.modifiers(it.span, &it.key);
        self.visit_property_key(&it.key);
        if it.optional {
            self.mark_behind(&it.key, it.computed);
        }
        self.visit_function(&it.value, oxc_syntax::scope::ScopeFlags::Function);
    }

    fn property(&mut self, it: &PropertyDefinition<'_>) {
        it.decorators.iter().for_each(|decorator| self.visit_decorator(decorator));
        if it.declare || it.r#type == PropertyDefinitionType::TSAbstractPropertyDefinition {
            return self.erase(it.span);
        }
        let mark = self.blanks.mark();
        self.modifiers(it.span, &it.key);
        self.visit_property_key(&it.key);
        if it.optional || it.definite {
            self.mark_behind(&it.key, it.computed);
        }
        if let Some(types) = &it.type_annotation {
            self.visit_ts_type_annotation(types);
        }
        if let Some(value) = &it.value {
            self.visit_expression(value);
        }
        self.end_of_field(mark, it.span);
    }

    fn accessor(&mut self, it: &AccessorProperty<'_>) {
        it.decorators.iter().for_each(|decorator| self.visit_decorator(decorator));
        if it.r#type == AccessorPropertyType::TSAbstractAccessorProperty {
            return self.erase(it.span);
        }
        self.refuse(it.span, "an `accessor` field");
    }

    fn end_of_field(&mut self, mark: usize, span: Span) {
        let end = span.end as usize;
        if !self.source.get(..end).is_some_and(|text| text.ends_with(';')) {
            self.blanks.end(mark, end);
        }
    }

    /// Takes out a member's modifiers that are only types. Where the first word goes, a semicolon keeps the member apart
    /// from the field before it.
    fn modifiers(&mut self, member: Span, key: &PropertyKey<'_>) {
        let mut at = self.skip(member.start as usize);
        let mut is_first = true;
        while at < key.span().start as usize {
            let rest = self.source.get(at..).unwrap_or_default();
            let length = rest.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(rest.len());
            let Some(word) = rest.get(..length).filter(|word| !word.is_empty()) else { return };
            if MODIFIERS.contains(&word) {
                self.blanks.between(at, at + length);
                if is_first {
                    self.blanks.letter(at, ';');
                }
            }
            is_first = false;
            at = self.skip(at + length);
        }
    }

    /// Takes out `?` or `!` behind a member's name.
    fn mark_behind(&mut self, key: &PropertyKey<'_>, computed: bool) {
        let mut end = key.span().end as usize;
        if computed {
            // Past the closing bracket.
            end = self.skip(end) + 1;
        }
        let mark = self.skip(end);
        if self.is_next(mark, "?") || self.is_next(mark, "!") {
            self.blanks.between(end, mark + 1);
        }
    }
}
