import Agent
import Foundation
import PolicyAPI
import Support

/// Finds the `test.yaml` files that the arguments of `netpold test` name.
struct TestFolders {
    /// The files, in the order of the arguments, sorted inside each, each once.
    private(set) var files: [String] = []
    /// What was not followed.
    private(set) var notes: [Diagnostic] = []
    /// Paths under which there is nothing to test, or not all can be found, with what is wrong.
    private(set) var missing: [Diagnostic] = []
    /// Files with tests that nobody runs: they are not called `test.yaml`, or are inside the folder of another test.
    private(set) var passedOver: [String] = []

    /// Looks for the tests of paths: files, folders with a test, folders of such folders.
    init(_ paths: [String]) {
        var seen: Set<String> = []
        for path in paths {
            for file in find(path) where seen.insert(file).inserted { files.append(file) }
        }
        for path in paths {
            for file in TestFolders.tests(below: path, but: seen) {
                seen.insert(file)
                passedOver.append(file)
            }
        }
    }

    /// The files with tests in a folder, under any name, but those that are known: their author believes that they are run.
    private static func tests(below path: String, but known: Set<String>) -> [String] {
        var walk = DirectoryWalk { [".yaml", ".yml", ".json"].contains(where: $0.hasSuffix) }
        walk.add(path)
        let word = Data("PolicyTest".utf8)
        return walk.files.map(\.path).filter { file in
            // Nearly no file has the word, so nearly none is decoded.
            guard !known.contains(file), let bytes = ManifestFiles.readAgain(file),
                Data(bytes).range(of: word) != nil
            else { return false }
            return DocumentReader.read(bytes, file: file).documents.contains { $0["kind"]?.string == "PolicyTest" }
        }
    }

    private mutating func find(_ path: String) -> [String] {
        // A test is what its folder is: the same file in two folders is two tests.
        var walk = DirectoryWalk(takesLinkedFilesOnce: false) { $0 == "test.yaml" }
        walk.add(path)
        for problem in walk.problems {
            var diagnostic = Diagnostic(problem)
            if problem.reason == .linkToFolder {
                diagnostic.severity = .note
                notes.append(diagnostic)
            } else {
                missing.append(diagnostic)
            }
        }
        let tests = walk.files.map(\.path)
        if tests.isEmpty, walk.problems.allSatisfy({ $0.reason == .linkToFolder }) {
            missing.append(
                Diagnostic(
                    id: .emptyInput, location: .whole(path), message: "no test.yaml in this folder or its folders",
                    hint: "check the path"))
        }
        // What lies inside a test's folder belongs to that test.
        let folders = Set(tests.map(TestFolders.folder))
        return tests.filter { file in
            TestFolders.foldersAround(TestFolders.folder(file)).allSatisfy { !folders.contains($0) }
        }.sorted(by: TestFolders.naturally)
    }

    private static func folder(_ file: String) -> Substring {
        file.prefix(upTo: file.lastIndex(of: "/") ?? file.startIndex)
    }

    private static func foldersAround(_ folder: Substring) -> [Substring] {
        folder.indices.filter { folder[$0] == "/" }.map { folder.prefix(upTo: $0) }
    }

    /// Folder by folder, `np-2` before `np-10`.
    private static func naturally(_ left: String, _ right: String) -> Bool {
        left.split(separator: "/").lexicographicallyPrecedes(right.split(separator: "/")) {
            $0.compare($1, options: .numeric) == .orderedAscending
        }
    }
}
