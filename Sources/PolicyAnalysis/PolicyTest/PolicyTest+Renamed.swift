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
        func applied(_ end: FlowEnd) -> FlowEnd { end.calling(renamed, unless: known) }
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

extension FlowText {
    /// The same flow, as `PolicyTest.calling`.
    public func calling(_ renamed: [String: String], unless known: Set<String>) -> FlowText {
        guard !renamed.isEmpty else { return self }
        func applied(_ text: String) -> String {
            // What is no pod stays as it is written.
            guard case .pod? = FlowEnd(parsing: text), let end = FlowEnd(parsing: text) else { return text }
            return "\(end.calling(renamed, unless: known))"
        }
        return FlowText(from: applied(from), to: applied(to), traffic: traffic)
    }
}

extension FlowEnd {
    /// A pod that is called as in its file, as it is applied.
    fileprivate func calling(_ renamed: [String: String], unless known: Set<String>) -> FlowEnd {
        guard case .pod(let namespace, let name) = self, !known.contains("\(namespace)/\(name)"),
            let applied = renamed["\(namespace)/\(name)"]?.split(separator: "/").last
        else { return self }
        return .pod(namespace: namespace, name: String(applied))
    }
}
