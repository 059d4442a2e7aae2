import PolicyAPI
import Testing

@testable import Agent

/// Files that go: away, to another place, and all at once.
@Suite struct DeletionFaultTests {
    private func folder(_ names: String...) -> TrackedFolder {
        TrackedFolder(Dictionary(uniqueKeysWithValues: names.map { ("\($0).yaml", TrackedFolder.policy($0)) }))
    }

    @Test("the deletion of a file waits for 2 s, and no longer")
    func waits() {
        var folder = folder("a", "b")
        folder.remove("a.yaml")
        folder.look()
        #expect(folder.events.isEmpty)
        #expect(folder.tracker.due == .seconds(2))
        folder.look(after: .milliseconds(1999))
        #expect(folder.names == ["a", "b"])
        folder.look(after: .milliseconds(1))
        #expect(folder.names == ["b"])
        #expect(folder.tracker.due == nil)
        #expect(folder.conditions == [])
    }

    @Test("a deleted allow rule never stays longer than 5 s, however busy its path is")
    func longest() {
        var folder = folder("a", "b")
        folder.remove("a.yaml")
        folder.look()
        for _ in 0..<5 {
            folder.touch("a.yaml")
            folder.look(after: .milliseconds(800))
        }
        #expect(folder.names == ["a", "b"])
        folder.touch("a.yaml")
        folder.look(after: .milliseconds(800))
        #expect(folder.names == ["b"])
        #expect(folder.time < .seconds(5))
    }

    @Test("replacing a file by moving another one over it is one change, seen at whatever moment")
    func replaced() {
        for looks in 0..<4 {
            var folder = folder("a", "b")
            let steps: [(inout TrackedFolder) -> Void] = [
                { $0.remove("a.yaml") }, { $0.replace("tmp", TrackedFolder.policy("a", app: "new")) },
                { $0.move("tmp", "a.yaml") },
            ]
            var changes = 0
            for (index, step) in steps.enumerated() {
                step(&folder)
                // `tmp` is no manifest.
                let hidden = folder.files.removeValue(forKey: "tmp")
                if index <= looks { folder.look(after: .milliseconds(300)) }
                changes += index <= looks ? folder.events.count : 0
                if let hidden { folder.files["tmp"] = hidden }
                #expect(folder.names == ["a", "b"])
            }
            folder.look()
            #expect(folder.names == ["a", "b"])
            #expect(changes + (looks < 2 ? folder.events.count : 0) == 1)
        }
    }

    @Test("1,000 files moved out and back: nothing changes")
    func movedOut() {
        let names = (0..<1000).map { "p\($0)" }
        var folder = TrackedFolder(
            Dictionary(uniqueKeysWithValues: names.map { ("\($0).yaml", TrackedFolder.policy($0)) }))
        let before = folder.meaning
        var away: [String: TrackedFolder.File] = [:]
        for (index, name) in names.enumerated() {
            away[name] = folder.remove("\(name).yaml")
            guard index % 250 == 249 else { continue }
            folder.look(after: .milliseconds(200))
            #expect(folder.events.isEmpty)
        }
        for (index, name) in names.enumerated() {
            folder.restore("\(name).yaml", away[name])
            guard index % 250 == 249 else { continue }
            folder.look(after: .milliseconds(200))
            #expect(folder.events.isEmpty)
        }
        folder.look(after: .seconds(10))
        #expect(folder.meaning == before)
        #expect(folder.events.isEmpty)
        #expect(folder.conditions == [])
    }

    @Test("a file that moves, or whose objects appear in another file, is no deletion")
    func moved() {
        var folder = folder("a", "b")
        folder.move("a.yaml", "sub/c.yaml")
        folder.look()
        #expect(!folder.events.contains { if case .delete = $0 { true } else { false } })
        #expect(folder.tracker.due == nil)
        folder.remove("sub/c.yaml")
        folder.look()
        folder.replace("d.yaml", TrackedFolder.policy("a", app: "other"))
        folder.look(after: .seconds(1))
        #expect(folder.tracker.due == nil)
        folder.look(after: .seconds(10))
        #expect(folder.names == ["a", "b"])
    }

    @Test("a duplicate that was there all along takes over after the wait, not while a file is moved out and back")
    func duplicate() {
        var folder = folder("a", "b")
        folder.replace("z.yaml", TrackedFolder.policy("a", app: "weaker"))
        folder.look()
        let before = folder.meaning
        let away = folder.remove("a.yaml")
        folder.look()
        folder.look(after: .seconds(1))
        #expect(folder.meaning == before)
        folder.restore("a.yaml", away)
        folder.look()
        #expect(folder.meaning == before)
        folder.remove("a.yaml")
        folder.look()
        folder.look(after: .seconds(2))
        #expect(folder.names == ["a", "b"])
        #expect(folder.meaning != before)
    }

    @Test("a pod whose address another pod has by now goes at once")
    func reusedAddress() {
        func pod(_ name: String) -> String {
            "apiVersion: v1\nkind: Pod\nmetadata: {name: \(name), namespace: shop}\nstatus: {podIP: 10.0.0.1}\n"
        }
        var folder = TrackedFolder(["a.yaml": TrackedFolder.policy("a"), "pods.yaml": pod("old")])
        folder.write("pods.yaml", pod("new"))
        folder.look()
        #expect(folder.names == ["a", "new"])
    }

    @Test("a folder that loses everything at once keeps everything until told otherwise")
    func emptied() {
        var folder = folder("a", "b", "c")
        let away = ["a", "b", "c"].map { ($0, folder.remove("\($0).yaml")) }
        folder.look()
        folder.look(after: .seconds(3))
        folder.look(after: .seconds(3600))
        #expect(folder.names == ["a", "b", "c"])
        #expect(folder.severe.map(\.kind) == [.folderLost])
        #expect(folder.tracker.due == nil)
        // What comes back counts; the rest stays.
        folder.restore("b.yaml", away[1].1)
        folder.look()
        folder.look(after: .seconds(10))
        #expect(folder.names == ["a", "b", "c"])
        #expect(folder.severe.map(\.kind) == [.folderLost])
        #expect(folder.severe[0].message.contains("2 objects stay"))
        folder.look(acceptsLoss: true)
        #expect(folder.names == ["b"])
        #expect(folder.dropped.map(\.name) == ["a", "c"])
        #expect(folder.conditions == [])
    }

    @Test("all files of a folder emptied in place keep everything; so does a folder of one file that goes")
    func allEmptied() {
        var folder = folder("a", "b")
        for name in ["a", "b"] { folder.write("\(name).yaml", "") }
        folder.look()
        folder.look(after: .seconds(10))
        #expect(folder.names == ["a", "b"])
        #expect(folder.severe.map(\.kind) == [.shrunkFile, .shrunkFile])
        var single = self.folder("a")
        single.remove("a.yaml")
        single.look()
        single.look(after: .seconds(10))
        #expect(single.names == ["a"])
        single.look(acceptsLoss: true)
        #expect(single.names == [])
    }

    @Test("files removed and others put in their place within the wait are a change of the folder, not its loss")
    func redeployed() {
        var folder = folder("a", "b")
        folder.remove("a.yaml")
        folder.remove("b.yaml")
        folder.look()
        folder.replace("c.yaml", TrackedFolder.policy("c"))
        folder.look(after: .seconds(1))
        #expect(folder.names == ["a", "b", "c"])
        folder.look(after: .seconds(1))
        #expect(folder.names == ["c"])
        #expect(folder.conditions == [])
    }

    @Test("what is in a folder that nobody can look into stays; time in which nothing could be seen does not count")
    func unseen() {
        var folder = TrackedFolder(["a.yaml": TrackedFolder.policy("a"), "sub/b.yaml": TrackedFolder.policy("b")])
        let away = folder.remove("sub/b.yaml")
        folder.unseen = ["sub": "permission denied"]
        folder.look()
        folder.look(after: .seconds(10))
        #expect(folder.names == ["a", "b"])
        folder.unseen = [:]
        folder.look()
        folder.look(after: .seconds(1))
        #expect(folder.names == ["a", "b"])
        folder.restore("sub/b.yaml", away)
        folder.look()
        folder.remove("sub/b.yaml")
        folder.look()
        folder.look(after: .seconds(60), isAfterGap: true)
        #expect(folder.names == ["a", "b"])
        folder.look(after: .seconds(2))
        #expect(folder.names == ["a"])
    }

    @Test(
        "an agent that starts over a broken, emptied, cut off or renamed file knows what it held",
        arguments: ["", "spec: [", TrackedFolder.policies("a", "b")], [true, false])
    func restarted(text: String, isRenamed: Bool) throws {
        var folder = TrackedFolder([
            "all.yaml": TrackedFolder.policies("a", "b", "c"), "other.yaml": TrackedFolder.policy("d"),
        ])
        let before = Set(folder.names)
        folder.write("all.yaml", text)
        if isRenamed { folder.move("all.yaml", "later.yaml") }
        try folder.restart()
        folder.look()
        folder.look(after: .seconds(10))
        #expect(Set(folder.names) == before)
        try folder.restart()
        folder.look()
        folder.look(after: .seconds(10))
        #expect(Set(folder.names) == before)
        #expect(folder.severe.count == 1)
    }

    @Test("an agent that starts over an emptied folder knows what it held; one that starts after a deletion forgets it")
    func restartedEmpty() throws {
        var folder = folder("a", "b")
        let away = folder.remove("a.yaml")
        folder.remove("b.yaml")
        for _ in 0..<2 {
            try folder.restart()
            folder.look()
            folder.look(after: .seconds(10))
            #expect(folder.names == ["a", "b"])
            #expect(folder.severe.map(\.kind) == [.folderLost])
        }
        folder.restore("a.yaml", away)
        try folder.restart()
        folder.look()
        folder.look(after: .seconds(2))
        #expect(folder.names == ["a"])
        try folder.restart()
        folder.look()
        #expect(folder.names == ["a"])
        #expect(folder.tracker.due == nil)
    }

    @Test("a pod that went while no agent was there is gone at once, if its folder is not lost as a whole")
    func restartedPods() throws {
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\n"
        var folder = TrackedFolder([
            "a.yaml": TrackedFolder.policy("a"), "b.yaml": TrackedFolder.policy("b"), "p.yaml": pod,
        ])
        let policy = folder.remove("a.yaml")
        folder.remove("p.yaml")
        try folder.restart()
        folder.look()
        #expect(folder.names == ["a", "b"])
        folder.restore("a.yaml", policy)
        folder.replace("p.yaml", pod)
        folder.look()
        for path in ["a.yaml", "b.yaml", "p.yaml"] { folder.remove(path) }
        try folder.restart()
        folder.look()
        folder.look(after: .seconds(3))
        #expect(folder.names == ["a", "b", "p"])
    }

    @Test("a file with a policy that is always refused is remembered over a restart all the same")
    func restartedRefused() throws {
        let refused = TrackedFolder.policy("bad") + "  surprise: 1\n"
        var folder = TrackedFolder([
            "all.yaml": TrackedFolder.policies("a", "b") + "---\n" + refused, "d.yaml": TrackedFolder.policy("d"),
        ])
        #expect(folder.names == ["a", "b", "d"])
        folder.write("all.yaml", "spec: [")
        try folder.restart()
        folder.look()
        folder.look(after: .seconds(10))
        #expect(folder.names == ["a", "b", "d"])
    }
}
