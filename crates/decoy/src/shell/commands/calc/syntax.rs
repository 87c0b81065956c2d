//! What a `bc` program is made of.

/// Where a value is kept.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A variable, or one of `scale`, `ibase`, `obase`, `last`.
    Name(String),
    /// An element of an array.
    Element(String, Box<Expr>),
}

/// An expression.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    Number(String),
    Place(Place),
    /// A whole array, handed to a function.
    Array(String),
    Assign(Place, Option<&'static str>, Box<Expr>),
    /// `++` or `--`; whether it stands in front.
    Step(Place, i64, bool),
    Negated(Box<Expr>),
    Not(Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Call(String, Vec<Expr>),
}

/// A statement.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    /// Its value is printed.
    Show(Expr),
    /// Its value is not.
    Quiet(Expr),
    Text(String),
    Print(Vec<Result<String, Expr>>),
    If(Expr, Box<Statement>, Option<Box<Statement>>),
    Loop {
        first: Option<Expr>,
        condition: Option<Expr>,
        update: Option<Expr>,
        body: Box<Statement>,
    },
    Break,
    Continue,
    Return(Option<Expr>),
    Halt,
    /// Ends when it is read, even in a branch that is not taken.
    Quit,
    Block(Vec<Statement>),
    Said(&'static str),
}

/// A function.
#[derive(Clone, Debug)]
pub(super) struct Function {
    /// It has no value.
    pub(super) is_void: bool,
    /// Parameters; whether each is an array.
    pub(super) parameters: Vec<(String, bool)>,
    /// Local variables.
    pub(super) autos: Vec<(String, bool)>,
    pub(super) body: Vec<Statement>,
}

/// What stands on one line of the program.
#[derive(Debug)]
pub(super) enum Item {
    Statements(Vec<Statement>),
    Function(String, Function),
    /// A line that cannot be read: its number.
    Bad(usize, Option<char>),
}
