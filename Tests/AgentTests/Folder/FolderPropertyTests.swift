import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Agent

/// Random accidents and edits of a folder, looked at at random moments, with restarts. What was last meant stays in force;
/// what was meant to go is out of force within 5 s; nothing is in force that nobody ever meant.
@Suite struct FolderPropertyTests {
    /// A folder with what its authors mean by it.
    private struct World {
        var folder = TrackedFolder()
        var random: SplitMix64
        /// What each file is meant to hold: names with versions, in order.
        var meant: [String: [(name: String, version: Int)]] = [:]
        /// When each object that is meant no more was given up.
        var givenUp: [String: Duration] = [:]
        /// Files that are away for a moment.
        var away: [(path: String, file: TrackedFolder.File, since: Duration)] = []
        var versions = 0
        var names = 0
        var steps: [String] = []
        /// Time goes on over restarts, other than the folder's clock.
        var time: Duration = .zero

        init(seed: UInt64) {
            random = SplitMix64(seed: seed)
            // Never touched but by what happens to the whole folder, so that a deletion is not the loss of everything.
            meant["anchor.yaml"] = [("anchor", 0)]
            folder.replace("anchor.yaml", text("anchor.yaml"))
            for index in 0..<4 { edit("f\(index).yaml") }
        }

        var wanted: [String: Int] {
            Dictionary(uniqueKeysWithValues: meant.values.joined().map { ($0.name, $0.version) })
        }

        var present: [String] { meant.keys.filter { $0 != "anchor.yaml" && folder.files[$0] != nil }.sorted() }

        func text(_ path: String) -> String {
            (meant[path] ?? []).map { TrackedFolder.policy($0.name, app: "v\($0.version)") }.joined(separator: "---\n")
                + "...\n"
        }

        /// Somebody changes a file: new versions, objects less and more. The last line says that this is all of it.
        mutating func edit(_ path: String) {
            var objects = meant[path] ?? []
            for index in objects.indices where random.once(in: 3) {
                versions += 1
                objects[index].version = versions
            }
            if objects.count > 1, random.once(in: 3) {
                givenUp[objects.remove(at: random.below(objects.count)).name] = time
            }
            for _ in 0..<(objects.isEmpty ? 1 + random.below(3) : random.below(2)) {
                names += 1
                versions += 1
                objects.insert(("p\(names)", versions), at: random.below(objects.count + 1))
            }
            meant[path] = objects
            if random.once(in: 2) { folder.replace(path, text(path)) } else { folder.write(path, text(path)) }
        }

        mutating func look(_ duration: Duration) {
            time += duration
            folder.look(after: duration)
        }

        /// One thing happens. Accidents happen to files whose last edit was seen.
        mutating func step() throws {
            let files = present
            let kind = random.below(13)
            let path = files.isEmpty ? "g\(names).yaml" : random.pick(files)
            guard !files.isEmpty else {
                edit(path)
                return look(.zero)
            }
            steps.append("\(time) \(kind) \(path)")
            switch kind {
            case 0, 1: edit(path)
            case 2: edit("g\(names).yaml")
            case 3:
                folder.write(path, String(text(path).prefix(random.below(text(path).count))))
            case 4: folder.write(path, random.pick(["", "spec: [", "\u{1}", "# nothing\n", "a: b: c\n"]))
            case 5:
                let to = "m\(versions)-\(random.below(1000)).yaml"
                meant[to] = meant.removeValue(forKey: path)
                folder.move(path, to)
            case 6:
                if let file = folder.remove(path) { away.append((path, file, time)) }
            case 7 where folder.files[path]?.text == text(path):
                // Deleted for good.
                folder.remove(path)
                for object in meant.removeValue(forKey: path) ?? [] { givenUp[object.name] = time }
            case 8:
                // The whole folder goes for a while. What is about to be gone then is gone first: later nobody knows.
                comeBack(within: .seconds(10))
                look(.zero)
                look(.milliseconds(2100))
                let all = folder.files
                for path in all.keys { folder.remove(path) }
                look(.zero)
                let isLong = random.once(in: 2)
                if isLong { for _ in 0..<2 { look(.milliseconds(2000 + random.below(3000))) } }
                for (path, file) in all {
                    folder.restore(path, file)
                    if random.once(in: 3) { look(.milliseconds(random.below(isLong ? 1000 : 50))) }
                }
            case 9:
                look(.zero)
                let held = folder.names
                try folder.restart()
                // A new agent begins to wait anew.
                for name in held where givenUp[name] != nil { givenUp[name] = time }
            case 10:
                folder.write(path, text(path))
            case 11 where meant[path].map { $0.count > 1 } ?? false:
                // An object goes to another file: first gone here, then there.
                comeBack(within: .seconds(10))
                var objects = meant[path] ?? []
                let moved = objects.remove(at: random.below(objects.count))
                let to = random.pick(files)
                guard to != path else { break }
                meant[path] = objects
                folder.write(path, text(path))
                meant[to, default: []].append(moved)
                look(.milliseconds(random.below(1500)))
                folder.write(to, text(to))
            default: break
            }
            look(.zero)
        }

        /// Files that were moved out come back before they count as deleted.
        mutating func comeBack(within limit: Duration) {
            for (path, file, since) in away where time - since + limit >= .milliseconds(1900) {
                folder.restore(path, file)
            }
            away.removeAll { folder.files[$0.path] != nil }
        }

        /// What is wrong with what is in force.
        func faults() -> [String] {
            let inForce = folder.meaning
            var faults: [String] = []
            for (name, version) in wanted {
                let key = "NetworkPolicy shop/\(name)"
                if inForce[key] == nil { faults.append("\(name) is gone") }
                // A file that is broken keeps an older version, which was meant once.
                let number = inForce[key].flatMap { Int($0.dropFirst()) }
                if let number, number > version { faults.append("\(name) is in force as \(number), not \(version)") }
            }
            for key in inForce.keys {
                let name = String(key.dropFirst("NetworkPolicy shop/".count))
                guard wanted[name] == nil else { continue }
                guard let since = givenUp[name] else {
                    faults.append("\(name) was never meant")
                    continue
                }
                if time - since > .seconds(5) { faults.append("\(name) is still in force") }
            }
            return faults
        }
    }

    @Test("no sequence of accidents opens, no deletion lasts, nothing is made up", arguments: 0..<150)
    func anything(seed: Int) throws {
        var world = World(seed: UInt64(seed))
        world.look(.zero)
        for _ in 0..<60 {
            try world.step()
            try #require(world.faults() == [], "seed \(seed): \(world.steps.suffix(12).joined(separator: "; "))")
            let wait = Duration.milliseconds(world.random.below(1200))
            world.comeBack(within: wait)
            world.look(wait)
            try #require(world.faults() == [], "seed \(seed): \(world.steps.suffix(12).joined(separator: "; "))")
        }
        // Everything is repaired: exactly what is meant is in force, and nothing is odd.
        world.comeBack(within: .seconds(10))
        for path in world.meant.keys { world.folder.write(path, world.text(path)) }
        world.look(.zero)
        world.look(.seconds(3))
        world.look(.seconds(3))
        let wanted = Dictionary(
            uniqueKeysWithValues: world.wanted.map { ("NetworkPolicy shop/\($0.key)", "v\($0.value)") })
        #expect(
            world.folder.meaning.filter { $0.key != "NetworkPolicy shop/anchor" }
                == wanted.filter {
                    $0.key != "NetworkPolicy shop/anchor"
                }, "seed \(seed)")
        #expect(world.folder.conditions == [], "seed \(seed)")
    }
}
