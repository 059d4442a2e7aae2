import PolicyAPI

/// Selectors as symbols, and what classes of pods say to them.
extension IdentityIndex {
    /// A Kubernetes selector over pod labels.
    mutating func compile(pods selector: LabelSelector) -> [CompiledRequirement] {
        var conditions: [CompiledRequirement] = []
        add(pods: selector, to: &conditions)
        return conditions
    }

    /// Adds a Kubernetes selector over pod labels.
    mutating func add(pods selector: LabelSelector, to conditions: inout [CompiledRequirement]) {
        for requirement in selector.requirements {
            conditions.append(
                compile(requirement, .label(symbols.intern(requirement.key), reserved: SymbolTable.none)))
        }
    }

    /// A Kubernetes selector over namespace labels.
    mutating func compile(namespaces selector: LabelSelector) -> [CompiledRequirement] {
        var conditions: [CompiledRequirement] = []
        add(namespaces: selector, to: &conditions)
        return conditions
    }

    /// Adds a Kubernetes selector over namespace labels.
    mutating func add(namespaces selector: LabelSelector, to conditions: inout [CompiledRequirement]) {
        for requirement in selector.requirements {
            conditions.append(compile(requirement, .namespaceLabel(symbols.intern(requirement.key))))
        }
    }

    /// A Cilium selector over identity labels.
    mutating func compile(endpoints selector: LabelSelector) -> [CompiledRequirement] {
        selector.requirements.map { compile($0, target(source: $0.source, key: $0.key)) }
    }

    /// A selector over the labels of nodes (`CiliumLabels.init(node:reserved:cluster:)`).
    mutating func compile(nodes selector: LabelSelector) -> [CompiledRequirement] {
        selector.requirements.map { requirement in
            let (source, key) = (requirement.source, symbols.intern(requirement.key))
            if key == keys.cluster, source == "k8s" || source == "any" { return compile(requirement, .cluster) }
            let isNodeLabel = source == "node" || source == "any"
            let isReserved = source == "reserved" || source == "any"
            return compile(
                requirement,
                .label(isNodeLabel ? key : SymbolTable.none, reserved: isReserved ? key : SymbolTable.none))
        }
    }

    /// Pods of the namespace of this name.
    mutating func inNamespace(_ name: String) -> CompiledRequirement {
        CompiledRequirement(target: .namespaceName, operator: .isIn, values: [symbols.intern(name)])
    }

    private mutating func compile(
        _ requirement: LabelRequirement, _ target: CompiledRequirement.Target
    ) -> CompiledRequirement {
        var values: [UInt32] = []
        values.reserveCapacity(requirement.values.count)
        for value in requirement.values { values.append(symbols.intern(value)) }
        if values.count > 1 { values.sort() }
        return CompiledRequirement(target: target, operator: requirement.operator, values: values)
    }

    /// Where the value of a Cilium label is found (docs/spec/cilium-network-policy.md 4.1, 4.3).
    private mutating func target(source: String, key: String) -> CompiledRequirement.Target {
        let symbol = symbols.intern(key)
        guard source == "k8s" || source == "any" else {
            return .label(SymbolTable.none, reserved: source == "reserved" ? symbol : SymbolTable.none)
        }
        switch symbol {
        case keys.namespaceName: return .namespaceName
        case keys.serviceAccount: return .serviceAccount
        case keys.cluster: return .cluster
        default: break
        }
        if key.hasPrefix(CiliumKey.namespaceLabelPrefix) {
            return .namespaceLabel(symbols.intern(String(key.dropFirst(CiliumKey.namespaceLabelPrefix.count))))
        }
        return .label(
            isIdentityKey(symbol) ? symbol : SymbolTable.none, reserved: source == "any" ? symbol : SymbolTable.none)
    }

    /// Whether Cilium policies see pod labels of this key.
    private mutating func isIdentityKey(_ symbol: UInt32) -> Bool {
        let index = Int(symbol)
        if identityKeys.count <= index {
            identityKeys += Array(repeating: 0, count: index + 1 - identityKeys.count)
        }
        if identityKeys[index] == 0 { identityKeys[index] = IdentityLabelFilter.keeps(symbols[symbol]) ? 2 : 1 }
        return identityKeys[index] == 2
    }

    /// Whether a class of pods satisfies all conditions.
    func matches(_ id: ClassID, _ requirements: [CompiledRequirement]) -> Bool {
        for requirement in requirements where !requirement.accepts(value(requirement.target, ofClass: id)) {
            return false
        }
        return true
    }

    /// Whether a namespace satisfies all conditions, which are about namespaces only.
    func matches(namespace id: Int32, _ requirements: [CompiledRequirement]) -> Bool {
        for requirement in requirements {
            let value =
                switch requirement.target {
                case .namespaceLabel(let key): namespaceLabel(key, of: id)
                case .namespaceName: namespaces[Int(id)].name
                case .label, .serviceAccount, .cluster: SymbolTable.none
                }
            if !requirement.accepts(value) { return false }
        }
        return true
    }

    /// Whether remotes that are no pods and carry these `reserved:` labels satisfy all conditions.
    func matches(reserved set: Int32, _ requirements: [CompiledRequirement]) -> Bool {
        requirements.allSatisfy { requirement in
            guard case .label(_, let key) = requirement.target, key != SymbolTable.none,
                reservedSets[Int(set)].contains(key)
            else { return requirement.accepts(SymbolTable.none) }
            return requirement.accepts(keys.empty)
        }
    }

    /// Whether a remote that is a node satisfies all conditions.
    func matches(node remote: Remote, _ requirements: [CompiledRequirement]) -> Bool {
        for requirement in requirements {
            var value = SymbolTable.none
            switch requirement.target {
            case .label(let key, let reserved):
                for pair in nodes.labelSets[Int(remote.details)] where pair.key == key { value = pair.value }
                if value == SymbolTable.none, reserved != SymbolTable.none,
                    reservedSets[Int(remote.reserved)].contains(reserved)
                {
                    value = keys.empty
                }
            case .cluster: value = keys.localCluster
            case .namespaceName, .namespaceLabel, .serviceAccount: break
            }
            if !requirement.accepts(value) { return false }
        }
        return true
    }

    private func value(_ target: CompiledRequirement.Target, ofClass id: ClassID) -> UInt32 {
        switch target {
        case .label(let key, _):
            if key == SymbolTable.none { return SymbolTable.none }
            let range = classes[Int(id)].labels
            return IdentityIndex.value(of: key, in: labels, Int(range.lowerBound)..<Int(range.upperBound))
        case .namespaceName: return namespaces[Int(classes[Int(id)].namespace)].name
        case .namespaceLabel(let key): return namespaceLabel(key, of: classes[Int(id)].namespace)
        case .serviceAccount: return classes[Int(id)].serviceAccount
        case .cluster: return keys.localCluster
        }
    }

    private func namespaceLabel(_ key: UInt32, of id: Int32) -> UInt32 {
        let labels = namespaces[Int(id)].labels
        return IdentityIndex.value(of: key, in: labels, labels.indices)
    }

    /// The value of a key in a range of labels that is sorted by key; `SymbolTable.none`: it is not there.
    private static func value(of key: UInt32, in labels: [LabelPair], _ range: Range<Int>) -> UInt32 {
        var (low, high) = (range.lowerBound, range.upperBound)
        while high - low > fewElements {
            let middle = (low + high) / 2
            if labels[middle].key <= key { low = middle } else { high = middle }
        }
        for place in low..<high where labels[place].key == key { return labels[place].value }
        return SymbolTable.none
    }
}
