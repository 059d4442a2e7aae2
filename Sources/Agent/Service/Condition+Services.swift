extension Condition {
    /// How many addresses are named.
    private static let named = 8

    /// The condition for addresses of Services that did not fit into the tables; `nil` for none.
    static func servicesLeftOut(_ frontends: [String]) -> Condition? {
        guard !frontends.isEmpty else { return nil }
        let more = frontends.count - named
        let list = frontends.prefix(named).joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
        return Condition(
            kind: .servicesLeftOut, subject: "Services",
            message:
                "there is no room for \(frontends.count) of the Services' addresses (\(list)): what pods send "
                + "there is refused")
    }
}
