import PolicyAPI

/// A mistake in a policy never opens anything: whatever is refused because of it allows no flow that the policy without the
/// mistake denies.
enum RefusalLaws {
    /// Makes one mistake in one policy of the input, and compares what pods may do before and after.
    static func check(_ decoded: DecodedManifests, _ documents: [DocumentNode], seed: UInt64) throws(BrokenLaw) {
        guard !decoded.hasErrors, documents.count <= 16 else { return }
        let before = JSONWriting.text(of: documents)
        var random = SplitMix64(seed: seed)
        let policies = documents.indices.filter { documents[$0]["kind"]?.string?.hasSuffix("Policy") == true }
        guard !policies.isEmpty else { return }
        let chosen = random.pick(policies)
        var mistaken = documents
        mistaken[chosen] = mistake(in: documents[chosen], &random)
        let after = ManifestLaws.decode(Array(JSONWriting.text(of: mistaken).utf8), file: "f.json")
        // A change that is not a mistake may mean anything; without the subject it is unknown what a policy selects.
        guard !after.refused.isEmpty, after.refused.allSatisfy({ $0.subject != nil }) else { return }
        let worlds = SampleWorld(decoded.objects)
        let (old, new) = (worlds.verdicts(decoded), worlds.verdicts(after))
        for (flow, verdict) in new where verdict > old[flow] ?? .deny {
            throw BrokenLaw(
                "a mistake opens \(flow): \(old[flow] ?? .deny) was \(verdict)\nbefore \(before)\nafter "
                    + JSONWriting.text(of: mistaken))
        }
    }

    /// The document with a member too many, or a value of a wrong type, somewhere in its spec.
    private static func mistake(in document: DocumentNode, _ random: inout SplitMix64) -> DocumentNode {
        guard let members = document.members else { return document }
        let changed = members.map { member in
            guard member.key == "spec" || member.key == "specs" else { return member }
            return DocumentMember(
                key: member.key, location: member.location, value: mistaken(member.value, &random))
        }
        return DocumentNode(.map(changed), location: document.location, path: document.path)
    }

    private static func mistaken(_ node: DocumentNode, _ random: inout SplitMix64) -> DocumentNode {
        func with(_ content: DocumentNode.Content) -> DocumentNode {
            DocumentNode(content, location: node.location, path: node.path)
        }
        switch node.content {
        case .list(var elements) where !elements.isEmpty && !random.once(in: 8):
            let index = random.below(elements.count)
            elements[index] = mistaken(elements[index], &random)
            return with(.list(elements))
        case .map(var members) where !members.isEmpty && !random.once(in: 4):
            let index = random.below(members.count)
            members[index] = DocumentMember(
                key: members[index].key, location: members[index].location,
                value: mistaken(members[index].value, &random))
            return with(.map(members))
        case .map(let members):
            let surplus = DocumentMember(key: "zzz", location: node.location, value: with(.list([])))
            return with(.map(members + [surplus]))
        case .null, .scalar, .list:
            let number = DocumentScalar(text: "-7", kind: .integer(-7))
            return with(random.once(in: 2) ? .scalar(number) : .list([with(.scalar(number))]))
        }
    }
}

extension JSONWriting {
    /// Documents as a stream.
    static func text(of documents: [DocumentNode]) -> String {
        documents.map { text(of: $0) }.joined(separator: "\n---\n")
    }
}
