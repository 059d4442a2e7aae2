import PolicyAPI
import PolicyIR
import Testing

@testable import Agent

/// Policies that are written several times in a folder and do not say the same, and what is refused of it, while its files change.
@Suite struct ContradictedPolicyTests {
    private static let web = TrackedFolder.policy("p", app: "web")
    private static let other = TrackedFolder.policy("p", app: "other")
    private static let key = ObjectKey(kind: "NetworkPolicy", namespace: "shop", name: "p")

    /// The values of the selectors of what is closed, and whether an object is in force.
    private func state(_ folder: TrackedFolder) -> (closed: Set<String>, inForce: String?) {
        let refused = folder.refused[Self.key]
        let closed = (refused?.isolating ?? []).flatMap { policy -> [String] in
            guard case .pods(_, let selector) = policy.subject else { return [] }
            return selector.requirements.flatMap(\.values)
        }
        let object = refused?.isContradiction == true ? nil : folder.inForce[Self.key]
        guard case .networkPolicy(let policy) = object else { return (Set(closed), nil) }
        return (Set(closed), policy.podSelector.requirements.flatMap(\.values).joined())
    }

    private func expect(
        _ folder: TrackedFolder, closed: Set<String>, inForce: String? = nil, _ comment: Comment? = nil,
        sourceLocation: Testing.SourceLocation = #_sourceLocation
    ) {
        let state = state(folder)
        #expect(state.closed == closed, comment, sourceLocation: sourceLocation)
        #expect(state.inForce == inForce, comment, sourceLocation: sourceLocation)
    }

    @Test("whom either selects is isolated and neither is in force, in two files and in one, whichever was there first")
    func both() {
        for texts in [["a.yaml": Self.web, "b.yaml": Self.other], ["a.yaml": Self.web + "---\n" + Self.other]] {
            expect(TrackedFolder(texts), closed: ["web", "other"])
        }
        var folder = TrackedFolder(["b.yaml": Self.web])
        expect(folder, closed: [], inForce: "web")
        folder.write("a.yaml", Self.other)
        folder.look()
        expect(folder, closed: ["web", "other"])
        folder.write("a.yaml", Self.web)
        folder.look()
        expect(folder, closed: [], inForce: "web")
        #expect(folder.conditions.map(\.kind) == [.duplicateObject])
    }

    @Test("one with an error contradicts one without")
    func mistaken() {
        let wrong = Self.other + "  ingres: []\n"
        expect(TrackedFolder(["a.yaml": Self.web, "b.yaml": wrong]), closed: ["web", "other"])
        expect(TrackedFolder(["a.yaml": wrong, "b.yaml": Self.web]), closed: ["web", "other"])
        expect(TrackedFolder(["a.yaml": Self.web, "b.yaml": Self.other + "  ingress: [\n"]), closed: ["web", "other"])
    }

    @Test(
        "no accident of one of the files ends it; a text that leaves it out does, and so does a removed file after a while"
    )
    func ends() throws {
        for (lost, stays, remaining) in [("a.yaml", "b.yaml", "other"), ("b.yaml", "a.yaml", "web")] {
            var folder = TrackedFolder(["a.yaml": Self.web, "b.yaml": Self.other])
            let text = folder.files[lost]?.text ?? ""
            for accident in ["", "apiVersion: [", String(text.prefix(text.utf8.count / 2))] {
                folder.write(lost, accident)
                folder.look(after: .seconds(60))
                expect(folder, closed: ["web", "other"], "\(lost) \(accident)")
                try folder.restart()
                folder.look()
                expect(folder, closed: ["web", "other"], "\(lost) \(accident) after a restart")
            }
            folder.write(lost, text)
            folder.look()
            let file = folder.remove(lost)
            folder.look()
            expect(folder, closed: ["web", "other"])
            folder.restore(lost, file)
            folder.look(after: .seconds(1))
            folder.look(after: .seconds(5))
            expect(folder, closed: ["web", "other"])
            folder.remove(lost)
            folder.look()
            #expect(folder.tracker.due == folder.time + .seconds(2))
            folder.look(after: .seconds(2))
            expect(folder, closed: [], inForce: remaining)
            #expect(folder.files[stays] != nil && folder.tracker.due == nil)
        }
        var folder = TrackedFolder(["a.yaml": Self.web, "b.yaml": Self.other + "---\n" + TrackedFolder.policy("q")])
        folder.replace("b.yaml", TrackedFolder.policy("q"))
        folder.look()
        expect(folder, closed: [], inForce: "web")
    }

    @Test("a folder that lost everything keeps it")
    func lostFolder() {
        var folder = TrackedFolder(["a.yaml": Self.web, "b.yaml": Self.other])
        folder.remove("a.yaml")
        folder.remove("b.yaml")
        folder.look()
        folder.look(after: .seconds(60))
        folder.look(after: .seconds(60))
        expect(folder, closed: ["web", "other"])
        folder.look(acceptsLoss: true)
        expect(folder, closed: [])
    }

    @Test(
        "a new policy with an error isolates also when its file breaks off or is empty, and for a while when it is gone"
    )
    func refused() throws {
        let wrong = Self.web + "  ingres: []\n"
        var folder = TrackedFolder(["a.yaml": wrong, "b.yaml": TrackedFolder.policy("q")])
        for accident in ["", "apiVersion: [", String(wrong.prefix(60))] {
            folder.write("a.yaml", accident)
            folder.look(after: .seconds(60))
            expect(folder, closed: ["web"], "\(accident)")
            try folder.restart()
            folder.look()
            expect(folder, closed: ["web"], "\(accident)")
        }
        folder.remove("a.yaml")
        folder.look()
        expect(folder, closed: ["web"])
        folder.look(after: .seconds(2))
        expect(folder, closed: [])
        // A file that took its place is no contradiction.
        folder = TrackedFolder(["a.yaml": wrong])
        folder.remove("a.yaml")
        folder.write("b.yaml", Self.other)
        folder.look()
        expect(folder, closed: [], inForce: "other")
    }

    @Test("a CIDR group in two files with other prefixes is unknown")
    func groups() {
        func group(_ prefix: String) -> String {
            "apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata: {name: g, labels: {a: b}}\nspec: {externalCIDRs: [\(prefix)]}\n"
        }
        let folder = TrackedFolder(["a.yaml": group("10.0.0.0/8"), "b.yaml": group("192.0.2.0/24")])
        let key = ObjectKey(kind: "CiliumCIDRGroup", namespace: "", name: "g")
        #expect(folder.refused[key]?.unknown == .cidrGroup(CIDRGroup(unknown: ObjectMeta(name: "g"))))
        var store = ObjectStore(onRefused: .isolate)
        _ = store.take(ObjectBatch(source: ObjectSourceID("folder"), events: folder.events))
        #expect(store.objects.cidrGroups.map(\.isUnknown) == [true])
        let same = TrackedFolder(["a.yaml": group("10.0.0.0/8"), "b.yaml": group("10.0.0.0/8")])
        #expect(same.refused.isEmpty && same.conditions.map(\.kind) == [.duplicateObject])
    }
}
