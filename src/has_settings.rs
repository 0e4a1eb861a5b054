//! Lends a form's settings to the setters that several forms share, such as those of `window_setters.rs`.

/// Implements a trait whose one method lends a field: `has_settings!(Token<C>: HasWindow::window_mut, window: Window);`
#[allow(unused_macros, reason = "each form is a feature")]
macro_rules! has_settings {
    ($form:ident<$($parameter:ident),+>: $trait:ident::$method:ident, $field:ident: $type:ty) => {
        impl<$($parameter),+> $trait for $form<$($parameter),+>
        where
            Self: crate::form::Form,
        {
            fn $method(&mut self) -> &mut $type {
                &mut self.$field
            }
        }
    };
}

#[allow(unused_imports, reason = "each form is a feature")]
pub(crate) use has_settings;
