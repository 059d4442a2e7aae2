import BPFEmit
import PolicyAPI
import Testing

@testable import Agent

@Suite struct ObjectStoreTests {
    let strict = Fixtures.policy("web", app: "web", line: 1, directions: [.ingress])
    let other = Fixtures.policy("web", app: "web", line: 9, directions: [.ingress, .egress])

    @Test("a refused update keeps the last good version in force and says so")
    func refusedUpdate() {
        var store = FolderStore(onRefused: .isolate)
        store.absorb(["a.yaml": ManifestFile(objects: [strict], refused: [])])
        store.absorb(["a.yaml": ManifestFile(objects: [], refused: [Fixtures.refused("web", isolating: other)])])
        #expect(store.objects.networkPolicies.map(ClusterObject.networkPolicy) == [strict])
        #expect(store.conditions.map(\.kind) == [.keptLastGood])
        #expect(store.policiesInForce == 1)
        #expect(store.policiesRefused == 1)
    }

    @Test("a refused update that moved to another file still keeps the last good version")
    func refusedUpdateInAnotherFile() {
        var store = FolderStore(onRefused: .isolate)
        store.absorb(["a.yaml": ManifestFile(objects: [strict], refused: [])])
        store.absorb(["b.yaml": ManifestFile(objects: [], refused: [Fixtures.refused("web", isolating: nil)])])
        #expect(store.objects.networkPolicies.count == 1)
        store.absorb([:])
        #expect(store.objects.networkPolicies.isEmpty)
        #expect(store.conditions.isEmpty)
    }

    @Test("a refused new policy isolates the pods it selects", arguments: RefusedPolicy.allCases)
    func refusedNew(choice: RefusedPolicy) {
        var store = FolderStore(onRefused: choice)
        let snapshot: FolderSnapshot = [
            "a.yaml": ManifestFile(objects: [], refused: [Fixtures.refused("web", isolating: other)])
        ]
        store.absorb(snapshot)
        #expect(store.isolating == (choice == .isolate ? Fixtures.isolating(other) : []))
        #expect(store.objects.networkPolicies.isEmpty)
        #expect(store.conditions.map(\.kind) == [choice == .isolate ? .isolatedByRefused : .refusedIgnored])
        // An isolating policy is not a good version: the next refusal is not "kept".
        store.absorb(snapshot)
        #expect(store.conditions.map(\.kind) == [choice == .isolate ? .isolatedByRefused : .refusedIgnored])
        store.absorb(["a.yaml": ManifestFile(objects: [strict], refused: [])])
        #expect(store.objects.networkPolicies.map(ClusterObject.networkPolicy) == [strict])
        #expect(store.conditions.isEmpty)
    }

    @Test("a refused policy whose selector cannot be read is reported as without effect")
    func refusedUnreadable() {
        var store = FolderStore(onRefused: .isolate)
        store.absorb(["a.yaml": ManifestFile(objects: [], refused: [Fixtures.refused("web", isolating: nil)])])
        #expect(store.conditions.map(\.kind) == [.refusedIgnored])
        #expect(store.conditions.first?.isSevere == true)
    }

    @Test("a broken file keeps its last good objects and no others")
    func brokenFile() {
        let db = Fixtures.policy("db", app: "db", file: "b.yaml", directions: [.ingress])
        var store = FolderStore(onRefused: .isolate)
        store.absorb([
            "a.yaml": ManifestFile(objects: [strict], refused: []), "b.yaml": ManifestFile(objects: [db], refused: []),
        ])
        store.absorb(["a.yaml": ManifestFile(unreadable: ["a.yaml:2:1: error: not YAML"])])
        #expect(store.objects.networkPolicies.map(\.metadata.name) == ["web"])
        #expect(store.conditions.map(\.kind) == [.brokenFile])
        // Still kept at the next reading, gone with the file.
        store.absorb(["a.yaml": ManifestFile(unreadable: ["a.yaml:2:1: error: not YAML"])])
        #expect(store.objects.networkPolicies.map(\.metadata.name) == ["web"])
        store.absorb([:])
        #expect(store.objects.networkPolicies.isEmpty)
    }

    @Test("an object that moved out of a broken file is taken from where it is now")
    func movedOutOfBroken() {
        var store = FolderStore(onRefused: .isolate)
        store.absorb(["a.yaml": ManifestFile(objects: [strict], refused: [])])
        store.absorb(["a.yaml": ManifestFile(unreadable: ["x"]), "b.yaml": ManifestFile(objects: [other], refused: [])])
        #expect(store.objects.networkPolicies.map(ClusterObject.networkPolicy) == [other])
    }

    @Test(
        "of two files with a policy that does not say the same none is in force, in any order; where it does, the first by path is"
    )
    func duplicates() {
        for pair in [["a.yaml", "b.yaml"], ["b.yaml", "a.yaml"]] {
            var snapshot: FolderSnapshot = [:]
            for file in pair {
                snapshot[file] = ManifestFile(objects: [file == "a.yaml" ? strict : other], refused: [])
            }
            var store = FolderStore(onRefused: .isolate)
            store.absorb(snapshot)
            #expect(store.objects.networkPolicies.isEmpty)
            #expect(store.isolating.count == 2)
            #expect(store.conditions.map(\.kind) == [.isolatedByRefused])
            store.absorb(snapshot.mapValues { _ in ManifestFile(objects: [strict], refused: []) })
            #expect(store.objects.networkPolicies.map(ClusterObject.networkPolicy) == [strict])
            #expect(store.conditions.map(\.kind) == [.duplicateObject])
        }
    }

    // MARK: sources that know no files

    private let server = ObjectSourceID("api")
    private let folder = ObjectSourceID("manifests")

    private func upsert(_ object: ClusterObject, _ version: String = "1") -> ObjectEvent {
        .upsert(object, origin: .server(ObjectVersion(resourceVersion: version)))
    }

    private func take(_ store: inout ObjectStore, _ source: ObjectSourceID, _ events: ObjectEvent...) {
        _ = store.take(ObjectBatch(source: source, events: events))
    }

    @Test("a refused update keeps the last good version until it is deleted or replaced")
    func refusedEvent() {
        var store = ObjectStore(onRefused: .isolate)
        take(&store, server, upsert(strict), .refused(Fixtures.refused("web", isolating: other)))
        #expect(store.objects.networkPolicies.map(ClusterObject.networkPolicy) == [strict])
        #expect(store.conditions.map(\.kind) == [.keptLastGood])
        take(&store, server, .refused(Fixtures.refused("web", isolating: nil)))
        #expect(store.objects.networkPolicies.count == 1)
        take(&store, server, upsert(other, "2"))
        #expect(store.objects.networkPolicies.map(ClusterObject.networkPolicy) == [other])
        #expect(store.conditions == [])
        take(&store, server, .refused(Fixtures.refused("web", isolating: other)), .delete(strict.key))
        #expect(store.objects.networkPolicies.isEmpty)
        #expect(store.isolating.isEmpty)
        #expect(store.conditions == [])
    }

    @Test(
        "of two sources with one object that says the same the first by name counts; when it lets go, the other's is there"
    )
    func twoSources() {
        var store = ObjectStore(onRefused: .isolate)
        let moved = Fixtures.policy("web", app: "web", line: 30, directions: [.ingress])
        take(&store, folder, upsert(moved))
        take(&store, server, upsert(strict))
        #expect(store.objects.networkPolicies.map(ClusterObject.networkPolicy) == [strict])
        #expect(store.policiesInForce == 1 && store.policiesRefused == 0)
        #expect(store.conditions.map(\.kind) == [.duplicateObject])
        #expect(store.standing(strict.key, since: 1)?.state == .asWritten)
        take(&store, server, .delete(strict.key))
        #expect(store.objects.networkPolicies.map(ClusterObject.networkPolicy) == [moved])
        #expect(store.conditions == [])
    }

    @Test(
        "of two sources that do not say the same of an object neither is in force, until one lets go",
        arguments: RefusedPolicy.allCases)
    func contradictingSources(choice: RefusedPolicy) {
        var store = ObjectStore(onRefused: choice)
        take(&store, folder, upsert(other))
        take(&store, server, upsert(strict))
        guard choice == .isolate else {
            #expect(store.objects.networkPolicies.map(ClusterObject.networkPolicy) == [strict])
            #expect(store.conditions.map(\.kind) == [.duplicateObject])
            return
        }
        #expect(store.objects.networkPolicies.isEmpty && store.policiesInForce == 0 && store.policiesRefused == 1)
        #expect(store.isolating[strict.key]?.count == 2)
        #expect(store.conditions.map(\.kind) == [.isolatedByRefused, .isolatedByRefused])
        #expect(store.standing(strict.key, since: 1)?.state == .isolated)
        #expect(store.standing(strict.key, since: 1)?.reason != nil)
        // One that is refused says nothing that is known.
        take(&store, folder, .refused(Fixtures.refused("web", isolating: other)))
        #expect(store.objects.networkPolicies.isEmpty && store.isolating[strict.key]?.isEmpty == false)
        take(&store, folder, upsert(other))
        take(&store, server, .delete(strict.key))
        #expect(store.objects.networkPolicies.map(ClusterObject.networkPolicy) == [other])
        #expect(store.conditions == [])
        take(&store, folder, .delete(other.key))
        #expect(store.policiesInForce == 0)
    }

    @Test("a source's conditions are its latest, and leave those of others alone")
    func sourceConditions() {
        var store = ObjectStore(onRefused: .isolate)
        func report(_ source: ObjectSourceID, _ kinds: Condition.Kind...) {
            let conditions = kinds.map { Condition(kind: $0, subject: "\(source)", message: "") }
            _ = store.take(ObjectBatch(source: source, events: [], conditions: conditions))
        }
        report(server, .sourceUnavailable)
        report(folder, .brokenFile, .policyWarning)
        #expect(store.conditions.map(\.kind) == [.brokenFile, .policyWarning, .sourceUnavailable])
        report(server)
        #expect(store.conditions.map(\.kind) == [.brokenFile, .policyWarning])
    }

    @Test("changes name what is in force otherwise than before, and nothing that came back")
    func changes() {
        var store = ObjectStore(onRefused: .isolate)
        take(&store, server, upsert(strict))
        #expect(text(store.takeChanges()) == ["upsert NetworkPolicy shop/web"])
        take(&store, server, .delete(strict.key), upsert(strict), .refused(Fixtures.refused("web", isolating: other)))
        #expect(store.takeChanges().isEmpty)
        take(&store, server, .delete(strict.key), .refused(Fixtures.refused("web", isolating: other)))
        #expect(text(store.takeChanges()) == ["1 isolating for NetworkPolicy shop/web"])
        take(&store, server, .delete(strict.key))
        #expect(text(store.takeChanges()) == ["delete NetworkPolicy shop/web"])
    }

    private func text(_ changes: [ObjectChange]) -> [String] {
        changes.map { change in
            switch change {
            case .upsert(let object): "upsert \(object.key.text)"
            case .delete(let key): "delete \(key.text)"
            case .standIns(let policies, let key): "\(policies.count) isolating for \(key.text)"
            case .name(let name, _): name
            case .ownAddresses(let addresses): "\(addresses)"
            case .ownNetworks(let networks): "\(networks)"
            }
        }
    }
}
