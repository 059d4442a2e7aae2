import Foundation

/// Finds the `test.yaml` files that the arguments of `netpold test` name.
enum TestFolders {
    /// A path under which there is nothing to test.
    struct Missing: Error, CustomStringConvertible {
        let path: String
        let reason: String
        var description: String { "\(path): error: \(reason)" }
    }

    /// The files, in the order of the arguments, sorted inside each, each once.
    ///
    /// - Throws: `Missing` for an argument that names no test.
    static func files(_ paths: [String]) throws(Missing) -> [String] {
        var result: [String] = []
        var seen: Set<String> = []
        for path in paths {
            for file in try files(under: path) where seen.insert(file).inserted { result.append(file) }
        }
        return result
    }

    private static func files(under path: String) throws(Missing) -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Missing(path: path, reason: "no such file or folder")
        }
        guard isFolder.boolValue else { return [path] }
        let folder = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        let found = testFiles(in: folder)
        guard !found.isEmpty else {
            throw Missing(path: path, reason: "no test.yaml in this folder or its folders")
        }
        return found
    }

    private static func testFiles(in folder: String) -> [String] {
        let own = "\(folder)/test.yaml"
        if FileManager.default.fileExists(atPath: own) { return [own] }
        // Links are not followed, so no folder contains itself.
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return entries.sorted(by: naturally).flatMap { entry -> [String] in
            let path = "\(folder)/\(entry)"
            let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
            return type == .typeDirectory ? testFiles(in: path) : []
        }
    }

    /// `np-2` before `np-10`.
    private static func naturally(_ left: String, _ right: String) -> Bool {
        left.compare(right, options: .numeric) == .orderedAscending
    }
}
