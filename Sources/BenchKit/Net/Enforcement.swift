/// One way to enforce the benchmark's policy (client may reach the server's ports, nothing else), put up and taken down
/// between rounds.
protocol Enforcement {
    /// For the table.
    var name: String { get }
    /// Puts it up.
    func install() throws
    /// Takes it down.
    func remove() throws
}

/// No policy.
struct NoEnforcement: Enforcement {
    let name: String
    func install() {}
    func remove() {}
}
