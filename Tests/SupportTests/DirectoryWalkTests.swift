import Foundation
import Support
import SystemPackage
import Testing

@Suite("Walk over files")
struct DirectoryWalkTests {
    private func walk(_ scratch: Scratch, fileLimit: Int = 100) -> DirectoryWalk {
        var walk = DirectoryWalk(fileLimit: fileLimit) { $0.hasSuffix(".x") }
        walk.add(scratch.path)
        return walk
    }

    private func names(_ walk: DirectoryWalk, _ scratch: Scratch) -> [String] {
        walk.files.map { String($0.path.dropFirst(scratch.path.count + 1)) }
    }

    @Test("names are taken in the order of their bytes, folders where their names stand")
    func order() throws {
        let scratch = try Scratch()
        try scratch.folder("b")
        for name in ["é.x", "a.x", "B.x", "b/z.x", "c.x", ".hidden.x", "other"] { try scratch.write(name) }
        #expect(names(walk(scratch), scratch) == ["B.x", "a.x", "b/z.x", "c.x", "é.x"])
    }

    @Test("a file is taken by its own name, wherever a link to it stands")
    func ownName() throws {
        let scratch = try Scratch()
        try scratch.write("m.x")
        try scratch.link("a.x", to: "m.x")
        try scratch.link("z.x", to: "m.x")
        #expect(names(walk(scratch), scratch) == ["m.x"])
        // Named, the link counts as a name of its own.
        var named = DirectoryWalk { $0.hasSuffix(".x") }
        #expect(named.add(scratch.file("z.x")) == 1)
        #expect(named.add(scratch.path) == 3)
        #expect(named.files.map(\.path) == [scratch.file("z.x")])
    }

    @Test("one file in two folders is two files where folders have a meaning of their own")
    func linkedTwice() throws {
        let scratch = try Scratch()
        try scratch.folder("a")
        try scratch.folder("b")
        try scratch.write("a/t.x")
        try scratch.link("b/t.x", to: "../a/t.x")
        var walk = DirectoryWalk(takesLinkedFilesOnce: false) { $0 == "t.x" }
        walk.add(scratch.path)
        #expect(names(walk, scratch) == ["a/t.x", "b/t.x"])
    }

    @Test("a URL is said to be none of what is read, and how it is")
    func url() throws {
        var walk = DirectoryWalk { _ in true }
        walk.add("https://example.com/p.yaml")
        walk.add("/nowhere/p.yaml")
        #expect(
            walk.problems.map(\.message)
                == ["this is a URL, and only files and folders are read", "no such file or folder"])
        #expect(walk.problems.first?.hint.contains("curl -L 'https://example.com/p.yaml' | netpold lint -") == true)
        #expect(walk.problems.last?.hint == "check the path")
    }

    @Test("a folder named again, or inside one that was named, adds nothing and is not empty")
    func twice() throws {
        let scratch = try Scratch()
        try scratch.folder("sub")
        try scratch.write("sub/a.x")
        var walk = DirectoryWalk { $0.hasSuffix(".x") }
        #expect(walk.add(scratch.path) == 1)
        #expect(walk.add(scratch.file("sub")) == 1)
        #expect(walk.files.count == 1)
        #expect(walk.folders == [scratch.path, scratch.file("sub")])
    }

    @Test("what is no file is read only when it is named")
    func notRegular() throws {
        let scratch = try Scratch()
        #expect(mkfifo(scratch.file("p.x"), 0o600) == 0)
        #expect(walk(scratch).problems == [.init(path: scratch.file("p.x"), reason: .notRegular)])
        var named = DirectoryWalk { _ in false }
        named.add(scratch.file("p.x"))
        #expect(named.files.map(\.path) == [scratch.file("p.x")])
        #expect(named.problems == [])
    }

    @Test("links that lead nowhere, in a circle, or to a folder are problems that hide no file")
    func links() throws {
        let scratch = try Scratch()
        try scratch.folder("sub")
        try scratch.link("dangling.x", to: "nowhere")
        try scratch.link("self.x", to: "self.x")
        try scratch.link("sub/up", to: "..")
        // Nobody looks for these.
        try scratch.link("dangling", to: "nowhere")
        let found = walk(scratch)
        #expect(
            found.problems == [
                .init(
                    path: scratch.file("dangling.x"),
                    reason: .unreadable(SystemError("stat", scratch.file("dangling.x"), .noSuchFileOrDirectory))),
                .init(
                    path: scratch.file("self.x"),
                    reason: .unreadable(SystemError("stat", scratch.file("self.x"), .tooManySymbolicLinkLevels))),
                .init(path: scratch.file("sub/up"), reason: .linkToFolder),
            ])
        #expect(found.problems.allSatisfy { !$0.hidesFiles })
    }

    @Test("folders nested too deep and files beyond the limit are reported once, and hide files")
    func limits() throws {
        let deep = try Scratch()
        let folder = (1..<DirectoryWalk.depthLimit).map { "\($0)" }.joined(separator: "/")
        try deep.folder(folder)
        try deep.write("\(folder)/a.x")
        #expect(walk(deep).files.count == 1)
        try deep.folder("\(folder)/more")
        try deep.write("\(folder)/more/b.x")
        #expect(walk(deep).files.count == 1)
        #expect(
            walk(deep).problems == [
                .init(path: deep.file("\(folder)/more"), reason: .tooDeep(limit: DirectoryWalk.depthLimit))
            ])

        let many = try Scratch()
        for number in 0..<5 { try many.write("\(number).x") }
        let found = walk(many, fileLimit: 3)
        #expect(names(found, many) == ["0.x", "1.x", "2.x"])
        #expect(found.problems == [.init(path: many.file("3.x"), reason: .tooMany(limit: 3))])
        #expect(found.problems.allSatisfy { $0.hidesFiles })
    }

    @Test("a folder that is not there is a problem of its path")
    func missing() throws {
        var walk = DirectoryWalk { _ in true }
        #expect(walk.add("/nowhere/at/all") == 1)
        #expect(walk.problems.map(\.message) == ["no such file or folder"])
    }
}
