extension Sequence<Diagnostic> {
    /// The errors among them.
    public var errors: [Diagnostic] { filter { $0.severity == .error } }
    /// Whether any of them is an error.
    public var hasErrors: Bool { contains { $0.severity == .error } }
}
