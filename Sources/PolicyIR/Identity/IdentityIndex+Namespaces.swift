public import PolicyAPI

/// Namespaces: their labels are what selectors ask about, and may change under their pods.
extension IdentityIndex {
    /// Sets a namespace; `nil`: nobody declares it any more, it has only its name label. Returns whether its labels changed.
    ///
    /// O(evaluated terms that could match its pods), and its classes of pods for each that changes its mind.
    @discardableResult
    public mutating func setNamespace(_ name: String, _ namespace: Namespace?) -> Bool {
        let labels = namespace?.metadata.labels ?? IdentityIndex.nameLabel(name)
        guard let id = namespaceIDs[symbols.intern(name)] else {
            if namespace != nil { addNamespace(name, labels) }
            return namespace != nil
        }
        return relabel(id, pairs(of: labels))
    }

    /// The namespace of a name; one that nobody declares has its name label only.
    mutating func namespace(_ name: String) -> Int32 {
        namespaceIDs[symbols.intern(name)] ?? addNamespace(name, IdentityIndex.nameLabel(name))
    }

    @discardableResult
    private mutating func addNamespace(_ name: String, _ labels: [String: String]) -> Int32 {
        let symbol = symbols.intern(name)
        let id = Int32(truncatingIfNeeded: namespaces.count)
        namespaces.append(NamespaceEntry(name: symbol, labels: pairs(of: labels)))
        namespaceIDs[symbol] = id
        return id
    }

    private static func nameLabel(_ name: String) -> [String: String] { ["kubernetes.io/metadata.name": name] }

    private mutating func pairs(of labels: [String: String]) -> [LabelPair] {
        labels.map { LabelPair(key: symbols.intern($0.key), value: symbols.intern($0.value)) }.sorted {
            $0.key < $1.key
        }
    }

    /// Gives a namespace other labels, and tells the terms that asked about the old ones.
    private mutating func relabel(_ id: Int32, _ labels: [LabelPair]) -> Bool {
        guard namespaces[Int(id)].labels != labels else { return false }
        var asking: [(term: TermID, scope: [CompiledRequirement], others: [CompiledRequirement], accepted: Bool)] = []
        for place in [TermPlace.namespace(namespaces[Int(id)].name), .anywhere] {
            for term in evaluated[place] ?? [] {
                guard case .selector(let requirements, _, _) = terms[Int(term)].shape,
                    requirements.contains(where: \.isAboutNamespaceLabel)
                else { continue }
                let scope = requirements.filter(\.isAboutNamespace)
                asking.append(
                    (term, scope, requirements.filter { !$0.isAboutNamespace }, matches(namespace: id, scope)))
            }
        }
        namespaces[Int(id)].labels = labels
        for (term, scope, others, accepted) in asking {
            let accepts = matches(namespace: id, scope)
            if accepts == accepted { continue }
            var changed: [RemoteID] = []
            for podClass in namespaces[Int(id)].classes where matches(podClass, others) {
                var next = classes[Int(podClass)].firstRemote
                while next >= 0 {
                    // Terms know of the remotes that were alive when all was settled last.
                    if livenessBefore?[next] ?? isLive(next) { changed.append(next) }
                    next = remotes[Int(next)].next
                }
            }
            if accepts {
                terms[Int(term)].matches? += changed
            } else {
                let gone = Set(changed)
                terms[Int(term)].matches?.removeAll { gone.contains($0) }
            }
            for remote in changed { relabelled[remote, default: []].insert(term) }
        }
        return true
    }
}
