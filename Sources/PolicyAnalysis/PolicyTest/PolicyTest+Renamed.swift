import PolicyIR

extension PolicyTest {
    /// The same test, with pods that are called as in their files called as they are applied.
    ///
    /// - Parameters:
    ///   - renamed: `namespace/name` as written to `namespace/name` as applied.
    ///   - known: pods that have such a name themselves.
    /// - Returns: the test with the pods' names as applied.
    public func calling(_ renamed: [String: String], unless known: Set<String>) -> PolicyTest {
        guard !renamed.isEmpty else { return self }
        func applied(_ end: FlowEnd) -> FlowEnd {
            guard case .pod(let namespace, let name) = end, !known.contains("\(namespace)/\(name)"),
                let name = renamed["\(namespace)/\(name)"]?.split(separator: "/").last
            else { return end }
            return .pod(namespace: namespace, name: String(name))
        }
        func appliedText(_ text: String) -> String { FlowEnd(parsing: text).map { "\(applied($0))" } ?? text }
        var test = self
        for index in test.cases.indices {
            test.cases[index].flow.from = applied(cases[index].flow.from)
            test.cases[index].flow.to = applied(cases[index].flow.to)
            test.cases[index].written = cases[index].written.map { written in
                FlowText(from: appliedText(written.from), to: appliedText(written.to), traffic: written.traffic)
            }
        }
        for index in test.matrix.indices {
            test.matrix[index].denied = Set(
                matrix[index].denied.map { PolicyTestMatrix.Pair(from: appliedText($0.from), to: appliedText($0.to)) })
        }
        return test
    }
}
