import PolicyAPI
import Testing

@testable import Agent

/// The faults of issue 7, section 2, each by its name, on the state machine alone.
@Suite struct ShrinkingFaultTests {
    private let three = TrackedFolder.policies("a", "b", "c")

    /// What is in force and the one severe condition that says why.
    private func expectKept(
        _ folder: TrackedFolder, _ names: [String], _ kind: Condition.Kind, _ subject: String,
        _ place: Testing.SourceLocation = #_sourceLocation
    ) {
        #expect(folder.names == names, sourceLocation: place)
        #expect(folder.severe.map(\.kind) == [kind], sourceLocation: place)
        #expect(folder.severe.map(\.subject) == [subject], sourceLocation: place)
    }

    @Test("a file that became empty keeps its last good objects, for as long as it is empty")
    func emptied() {
        var folder = TrackedFolder(["all.yaml": three, "other.yaml": TrackedFolder.policy("d")])
        for text in ["", "\n", "# nothing\n", "---\n", "kind: ConfigMap\napiVersion: v1\n"] {
            folder.write("all.yaml", text)
            folder.look()
            expectKept(folder, ["a", "b", "c", "d"], .shrunkFile, "all.yaml")
            folder.look(after: .seconds(3600))
            expectKept(folder, ["a", "b", "c", "d"], .shrunkFile, "all.yaml")
        }
        #expect(folder.severe[0].message.contains("NetworkPolicy shop/a, NetworkPolicy shop/b, NetworkPolicy shop/c"))
        folder.write("all.yaml", three)
        folder.look()
        #expect(folder.names == ["a", "b", "c", "d"])
        #expect(folder.conditions == [])
    }

    @Test("whatever byte a write breaks off at, no object goes and none changes")
    func everyPrefix() {
        let list = """
            apiVersion: v1
            kind: List
            items:
            - {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a, namespace: shop}, spec: {podSelector: {}}}
            - apiVersion: networking.k8s.io/v1
              kind: NetworkPolicy
              metadata:
                name: b
                namespace: shop
              spec:
                podSelector: {}
                ingress:
                - from:
                  - ipBlock:
                      cidr: 10.1.0.0/16
                  ports:
                  - port: 8080

            """
        let json = """
            {"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "a", "namespace": "shop"},
             "spec": {"podSelector": {}}}
            ]}
            """
        for text in [three, list, json, three + "...\n"] {
            var folder = TrackedFolder(["all.yaml": text, "other.yaml": TrackedFolder.policy("d")])
            let before = folder.meaning
            let whole = Array(text.utf8)
            for length in (0..<whole.count).reversed() {
                folder.write("all.yaml", String(decoding: whole.prefix(length), as: UTF8.self))
                folder.look()
                folder.look(after: .seconds(10))
                #expect(folder.meaning == before, "cut after \(length) bytes")
            }
            folder.write("all.yaml", text)
            folder.look()
            #expect(folder.meaning == before)
            #expect(folder.conditions == [])
        }
    }

    @Test("a generator that ran again and broke off between two objects keeps the ones that it did not come to")
    func brokenGenerator() {
        var folder = TrackedFolder(["all.yaml": three])
        folder.write("all.yaml", "# made at noon\n" + TrackedFolder.policies("a", "b"))
        folder.look(after: .seconds(10))
        expectKept(folder, ["a", "b", "c"], .shrunkFile, "all.yaml")
    }

    @Test("a write that broke off inside a line is not believed although the text is another one")
    func insideLine() {
        var folder = TrackedFolder(["a.yaml": TrackedFolder.policy("a", app: "front-end") + "# much\n# more\n"])
        let before = folder.meaning
        folder.write("a.yaml", String(("# new\n" + TrackedFolder.policy("a", app: "front-end")).dropLast(5)))
        folder.look(after: .seconds(10))
        #expect(folder.meaning == before)
        #expect(folder.severe.map(\.kind) == [.shrunkFile])
        // Put in place of the other as a whole, it is what it is.
        folder.replace("a.yaml", String(("# new\n" + TrackedFolder.policy("a", app: "front-end")).dropLast(5)))
        folder.look()
        #expect(folder.meaning != before)
    }

    @Test("a file that does not parse keeps its last good objects")
    func garbled() {
        var folder = TrackedFolder(["all.yaml": three])
        for text in ["spec: [", "\u{0}\u{1}", three + "---\n\tx: [\n", "a: &x [*x"] {
            folder.write("all.yaml", text)
            folder.look(after: .seconds(10))
            expectKept(folder, ["a", "b", "c"], .brokenFile, "all.yaml")
        }
    }

    @Test(
        "a file that became empty, broken or cut off keeps its last good objects after it is renamed",
        arguments: ["", "spec: [", TrackedFolder.policies("a", "b")], [true, false])
    func renamed(text: String, isSeenBefore: Bool) {
        var folder = TrackedFolder(["all.yaml": three, "other.yaml": TrackedFolder.policy("d")])
        folder.write("all.yaml", text)
        if isSeenBefore { folder.look() }
        folder.move("all.yaml", "sub/later.yaml")
        folder.look()
        folder.look(after: .seconds(10))
        expectKept(
            folder, ["a", "b", "c", "d"], text.hasPrefix("spec") ? .brokenFile : .shrunkFile, "sub/later.yaml")
        // Over another file, which is then gone.
        folder.move("sub/later.yaml", "other.yaml")
        folder.look()
        #expect(folder.names == ["a", "b", "c", "d"])
        // Back in order.
        folder.write("other.yaml", three)
        folder.look(after: .seconds(3))
        folder.look(after: .seconds(3))
        #expect(folder.names == ["a", "b", "c"])
        #expect(folder.conditions == [])
    }

    @Test(
        "a broken file copied under another name, then removed, keeps its objects; so do two files that change places")
    func copied() {
        var folder = TrackedFolder(["all.yaml": three, "d.yaml": TrackedFolder.policy("d")])
        folder.write("all.yaml", "spec: [")
        folder.look()
        folder.remove("all.yaml")
        folder.replace("later.yaml", "spec: [")
        folder.look()
        folder.look(after: .seconds(10))
        expectKept(folder, ["a", "b", "c", "d"], .brokenFile, "later.yaml")
        folder.move("later.yaml", "tmp")
        folder.move("d.yaml", "later.yaml")
        folder.move("tmp", "d.yaml")
        folder.look()
        folder.look(after: .seconds(10))
        expectKept(folder, ["a", "b", "c", "d"], .brokenFile, "d.yaml")
    }

    @Test("an edit that removes an object other than the last counts, after the wait")
    func edit() {
        var folder = TrackedFolder(["all.yaml": three])
        folder.write("all.yaml", TrackedFolder.policies("a", "c"))
        folder.look()
        #expect(folder.names == ["a", "b", "c"])
        folder.look(after: .seconds(2))
        #expect(folder.names == ["a", "c"])
        #expect(folder.conditions == [])
    }

    @Test("whoever removes the last object says so: by the mark of the end, or to the agent")
    func meant() {
        var folder = TrackedFolder(["all.yaml": three])
        folder.write("all.yaml", TrackedFolder.policies("a", "b") + "...\n")
        folder.look()
        #expect(folder.conditions == [])
        folder.look(after: .seconds(2))
        #expect(folder.names == ["a", "b"])
        folder.write("all.yaml", TrackedFolder.policies("a"))
        folder.look(after: .seconds(10))
        expectKept(folder, ["a", "b"], .shrunkFile, "all.yaml")
        folder.look(acceptsLoss: true)
        #expect(folder.names == ["a"])
        #expect(folder.dropped.map(\.name) == ["b"])
        #expect(folder.conditions == [])
        // For good, not for this look alone.
        folder.look()
        #expect(folder.names == ["a"])
    }

    @Test("pods come and go, also at the end of a file; one that is cut inside is not believed")
    func pods() {
        func pod(_ name: String, _ label: String) -> String {
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: \(name)\n  namespace: shop\n  labels:\n    app: \(name)\n"
                + "    tier: \(label)\n"
        }
        let whole = ["a", "b", "c"].map { pod($0, "front") }.joined(separator: "---\n")
        var folder = TrackedFolder(["pods.yaml": whole, "d.yaml": TrackedFolder.policy("d")])
        let before = folder.inForce
        for cut in [3, 8, 18] {
            folder.write("pods.yaml", String(whole.dropLast(cut)))
            folder.look()
            folder.look(after: .seconds(10))
            #expect(folder.inForce == before)
            #expect(folder.severe.count == 1)
        }
        folder.write("pods.yaml", ["a", "b"].map { pod($0, "front") }.joined(separator: "---\n"))
        folder.look()
        folder.look(after: .seconds(2))
        #expect(folder.names == ["a", "b", "d"])
        folder.write("pods.yaml", "")
        folder.look()
        folder.look(after: .seconds(10))
        #expect(folder.names == ["a", "b", "d"])
    }

    @Test("the last object of a file may go to another file")
    func split() {
        var folder = TrackedFolder(["all.yaml": three])
        folder.write("all.yaml", TrackedFolder.policies("a", "b"))
        folder.look()
        #expect(folder.severe.map(\.kind) == [.shrunkFile])
        folder.replace("c.yaml", TrackedFolder.policy("c", app: "other"))
        folder.look()
        #expect(folder.names == ["a", "b", "c"])
        #expect(folder.conditions == [])
        // And from one to the other by two edits with a look between them.
        folder.write("c.yaml", TrackedFolder.policies("d"))
        folder.look()
        #expect(folder.names == ["a", "b", "c", "d"])
        folder.write("all.yaml", three)
        folder.look(after: .seconds(1))
        folder.look(after: .seconds(5))
        #expect(folder.names == ["a", "b", "c", "d"])
        #expect(folder.conditions == [])
    }

    @Test("a file that loses objects while somebody has it open is not believed")
    func stillWritten() {
        var folder = TrackedFolder(["all.yaml": three])
        folder.write("all.yaml", TrackedFolder.policies("b", "new"), isUnfinished: true)
        folder.look()
        folder.look(after: .seconds(10))
        #expect(folder.names == ["a", "b", "c"])
        #expect(folder.severe.map(\.kind) == [.shrunkFile])
        folder.write("all.yaml", TrackedFolder.policies("b", "new"))
        folder.look()
        folder.look(after: .seconds(3))
        #expect(folder.names == ["b", "new"])
    }
}
