import Testing

@testable import Agent

@Suite struct ObjectStoreTests {
    let strict = Fixtures.policy("web", app: "web", line: 1, directions: [.ingress])
    let other = Fixtures.policy("web", app: "web", line: 9, directions: [.ingress, .egress])

    @Test("a refused update keeps the last good version in force and says so")
    func refusedUpdate() {
        var store = ObjectStore(onRefused: .isolate)
        store.absorb(["a.yaml": ManifestFile(objects: [strict], refused: [])])
        store.absorb(["a.yaml": ManifestFile(objects: [], refused: [Fixtures.refused("web", isolating: other)])])
        #expect(store.objects.networkPolicies.map(ManifestObject.networkPolicy) == [strict])
        #expect(store.conditions.map(\.kind) == [.keptLastGood])
        #expect(store.policiesInForce == 1)
        #expect(store.policiesRefused == 1)
    }

    @Test("a refused update that moved to another file still keeps the last good version")
    func refusedUpdateInAnotherFile() {
        var store = ObjectStore(onRefused: .isolate)
        store.absorb(["a.yaml": ManifestFile(objects: [strict], refused: [])])
        store.absorb(["b.yaml": ManifestFile(objects: [], refused: [Fixtures.refused("web", isolating: nil)])])
        #expect(store.objects.networkPolicies.count == 1)
        store.absorb([:])
        #expect(store.objects.networkPolicies.isEmpty)
        #expect(store.conditions.isEmpty)
    }

    @Test("a refused new policy isolates the pods it selects", arguments: RefusedPolicy.allCases)
    func refusedNew(choice: RefusedPolicy) {
        var store = ObjectStore(onRefused: choice)
        let snapshot: ManifestSnapshot = [
            "a.yaml": ManifestFile(objects: [], refused: [Fixtures.refused("web", isolating: other)])
        ]
        store.absorb(snapshot)
        #expect(store.isolating == (choice == .isolate ? Fixtures.isolating(other) : []))
        #expect(store.objects.networkPolicies.isEmpty)
        #expect(store.conditions.map(\.kind) == [choice == .isolate ? .isolatedByRefused : .refusedIgnored])
        // A stand-in is no good version: the next refusal is not "kept".
        store.absorb(snapshot)
        #expect(store.conditions.map(\.kind) == [choice == .isolate ? .isolatedByRefused : .refusedIgnored])
        store.absorb(["a.yaml": ManifestFile(objects: [strict], refused: [])])
        #expect(store.objects.networkPolicies.map(ManifestObject.networkPolicy) == [strict])
        #expect(store.conditions.isEmpty)
    }

    @Test("a refused policy whose selector cannot be read is reported as without effect")
    func refusedUnreadable() {
        var store = ObjectStore(onRefused: .isolate)
        store.absorb(["a.yaml": ManifestFile(objects: [], refused: [Fixtures.refused("web", isolating: nil)])])
        #expect(store.conditions.map(\.kind) == [.refusedIgnored])
        #expect(store.conditions.first?.isSevere == true)
    }

    @Test("a broken file keeps its last good objects and no others")
    func brokenFile() {
        let db = Fixtures.policy("db", app: "db", file: "b.yaml", directions: [.ingress])
        var store = ObjectStore(onRefused: .isolate)
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
        var store = ObjectStore(onRefused: .isolate)
        store.absorb(["a.yaml": ManifestFile(objects: [strict], refused: [])])
        store.absorb(["a.yaml": ManifestFile(unreadable: ["x"]), "b.yaml": ManifestFile(objects: [other], refused: [])])
        #expect(store.objects.networkPolicies.map(ManifestObject.networkPolicy) == [other])
    }

    @Test("of two files with the same object the first by path is in force, in any order")
    func duplicates() {
        for pair in [["a.yaml", "b.yaml"], ["b.yaml", "a.yaml"]] {
            var snapshot: ManifestSnapshot = [:]
            for file in pair {
                snapshot[file] = ManifestFile(objects: [file == "a.yaml" ? strict : other], refused: [])
            }
            var store = ObjectStore(onRefused: .isolate)
            store.absorb(snapshot)
            #expect(store.objects.networkPolicies.map(ManifestObject.networkPolicy) == [strict])
            #expect(store.conditions.map(\.kind) == [.duplicateObject])
        }
    }
}
