import BPFEmit
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Agent

@Suite struct FolderReducerTests {
    @Test("events of any sequence of readings put in force what the files say at once", arguments: 0..<60)
    func model(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let onRefused: RefusedPolicy = random.once(in: 4) ? .ignore : .isolate
        var model = FolderModel(onRefused: onRefused)
        var store = FolderStore(onRefused: onRefused)
        var table = ObjectTable()
        var files: FolderSnapshot = [:]
        for step in 0..<40 {
            for _ in 0...random.below(2) {
                let file = random.pick(["a.yaml", "b.yaml", "c.yaml"])
                files[file] = random.once(in: 5) ? nil : Self.file(file, &random)
            }
            model.absorb(files)
            store.absorb(files)
            if random.once(in: 2) { for change in store.takeChanges() { table.apply(change) } }
            let place: Comment = "seed \(seed) step \(step)"
            let objects = Dictionary(uniqueKeysWithValues: store.objects.each.map { ($0.key, $0) })
            #expect(objects == model.objects, place)
            #expect(store.store.isolating.mapValues(Set.init) == model.isolating, place)
            #expect(Set(store.conditions.map { "\($0.kind.rawValue) \($0.subject)" }) == model.conditions, place)
            #expect(store.policiesInForce == model.objects.keys.count { $0.isPolicy }, place)
            #expect(store.policiesRefused == model.refused.count { $0.isPolicy }, place)
        }
        for change in store.takeChanges() { table.apply(change) }
        #expect(table.objects == model.objects)
        #expect(table.isolating.mapValues(Set.init) == model.isolating)
    }

    @Test("a reading that changes nothing has no events; one file's change has those of its objects")
    func noEvents() {
        var reducer = FolderReducer()
        let web = Fixtures.policy("web", app: "web", directions: [.ingress])
        let db = Fixtures.policy("db", app: "db", file: "b.yaml", directions: [.ingress])
        var files: FolderSnapshot = ["a.yaml": ManifestFile(objects: [web]), "b.yaml": ManifestFile(objects: [db])]
        #expect(reducer.absorb(files).count == 2)
        #expect(reducer.absorb(files) == [])
        let refused = Fixtures.refused("db")
        files["b.yaml"] = ManifestFile(refused: [refused])
        #expect(reducer.absorb(files) == [.refused(refused)])
        files["b.yaml"] = ManifestFile(objects: [db])
        #expect(
            reducer.absorb(files)
                == [.upsert(db, origin: .manifest(SourceLocation(file: "b.yaml", line: 1, column: 1)))])
        files["b.yaml"] = nil
        #expect(reducer.absorb(files) == [.delete(db.key)])
    }

    /// A file with some of few objects, whole, refused or unreadable.
    private static func file(_ file: String, _ random: inout SplitMix64) -> ManifestFile {
        var content = ManifestFile()
        for name in ["web", "db", "cache"] where !random.once(in: 3) {
            let line = 1 + random.below(2)
            let app = random.once(in: 4) ? "other" : name
            let policy = Fixtures.policy(name, app: app, file: file, line: line, directions: [.ingress])
            switch random.below(5) {
            case 0: content.refused.append(Fixtures.refused(name, isolating: random.once(in: 3) ? nil : policy))
            case 1: content.objects.append(.pod(Fixtures.pod(name, "10.0.0.\(line)")))
            case 2:
                var refused = Fixtures.refused(name)
                refused.key.kind = "Pod"
                content.refused.append(refused)
            default: content.objects.append(policy)
            }
        }
        if random.once(in: 4) { content.unreadable = ["\(file): error: not YAML"] }
        if random.once(in: 6) { content.warnings = ["\(file): warning: odd"] }
        return content
    }
}
