//! `Debug` for what holds secrets, personal data or what has no `Debug` of its own.

/// Implements `Debug` with the named fields, and `..` for the others: `Form<C> { parameter, window }`.
macro_rules! opaque_debug {
    ($type:ident $(<$($parameter:ident),+>)? $({ $($field:ident),+ })?) => {
        impl $(<$($parameter),+>)? std::fmt::Debug for $type $(<$($parameter),+>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type))
                    $($(.field(stringify!($field), &self.$field))+)?
                    .finish_non_exhaustive()
            }
        }
    };
}

/// Implements `Debug` with the form's name, and with the settings if they are named, for what a layer of the form `F`
/// consists of.
macro_rules! form_debug {
    ($type:ident<$($parameter:ident),+> $(, $($settings:ident).+)?) => {
        impl<$($parameter),+> std::fmt::Debug for $type<$($parameter),+>
        where
            F: Form,
        {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type))
                    .field("form", &F::NAME)
                    $(.field("settings", &self.$($settings).+))?
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(crate) use {form_debug, opaque_debug};

#[cfg(test)]
mod tests {
    #[expect(dead_code, reason = "not to be seen")]
    struct Form<C> {
        name: &'static str,
        secret: C,
    }

    struct Token;

    opaque_debug!(Form<C> { name });
    opaque_debug!(Token);

    #[test]
    fn what_is_not_named_is_not_shown() {
        assert_eq!(format!("{:?}", Form { name: "jwt", secret: "hunter2" }), "Form { name: \"jwt\", .. }");
        assert_eq!(format!("{Token:?}"), "Token { .. }");
    }
}
