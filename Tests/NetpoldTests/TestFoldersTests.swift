import Foundation
import Testing

@testable import netpold

@Suite("Folders of tests")
struct TestFoldersTests {
    private let path: String

    init() throws {
        path = NSTemporaryDirectory() + "netpold-tests-\(UUID().uuidString)"
        for name in ["np-10", "np-2", "np-2/manifests", ".git", "shared"] {
            let folder = "\(path)/\(name)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            if name != "shared" { try "".write(toFile: "\(folder)/test.yaml", atomically: false, encoding: .utf8) }
        }
    }

    private func files(_ paths: String...) -> [String] {
        defer { try? FileManager.default.removeItem(atPath: path) }
        return TestFolders(paths.map { "\(path)\($0)" }).files.map { String($0.dropFirst(path.count)) }
    }

    @Test("numbers in names count as numbers, a test's folder holds no other test, hidden folders hold none")
    func order() throws {
        #expect(files("") == ["/np-2/test.yaml", "/np-10/test.yaml"])
    }

    @Test("arguments keep their order, and each file is decided once")
    func arguments() throws {
        #expect(
            files("/np-10/test.yaml", "", "/np-2/") == ["/np-10/test.yaml", "/np-2/test.yaml"])
    }

    @Test("the same file linked into two folders is two tests: each decides its own manifests")
    func linked() throws {
        try FileManager.default.createSymbolicLink(
            atPath: "\(path)/shared/test.yaml", withDestinationPath: "../np-2/test.yaml")
        #expect(files("") == ["/np-2/test.yaml", "/np-10/test.yaml", "/shared/test.yaml"])
    }

    @Test("a link to a folder is not followed, and said so")
    func linkToFolder() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileManager.default.createSymbolicLink(atPath: "\(path)/again", withDestinationPath: "np-2")
        let found = TestFolders([path])
        #expect(found.files.count == 2)
        #expect(found.notes.count == 1)
        #expect(found.notes.first?.location?.file == "\(path)/again" && found.notes.first?.severity == .note)
        #expect(TestFolders(["\(path)/again"]).files == ["\(path)/again/test.yaml"])
    }

    @Test("tests in files of other names, or inside another test's folder, are not run, and said so")
    func unnamed() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let test = "apiVersion: netpold.dev/v1alpha1\nkind: PolicyTest\n"
        for name in ["np-2/other_test.yaml", "np-2/manifests/test.yaml", "shared/test.yml", "shared/named.yaml"] {
            try test.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
        }
        try "a: PolicyTest\n".write(toFile: "\(path)/shared/b.yaml", atomically: false, encoding: .utf8)
        let found = TestFolders([path, "\(path)/shared/named.yaml"])
        #expect(
            found.passedOver.map { String($0.dropFirst(path.count)) }.sorted() == [
                "/np-2/manifests/test.yaml", "/np-2/other_test.yaml", "/shared/test.yml",
            ])
        #expect(found.files.last?.hasSuffix("/shared/named.yaml") == true)
        let outcome = TestOutcome(passedOver: found.passedOver[0])
        #expect(
            outcome.isUnusable && !outcome.passed && outcome.diagnostics.first?.message.contains("is not run") == true)
    }

    @Test(
        "a path without a test is an error, and the tests of the others are found", arguments: ["/shared", "/nowhere"])
    func missing(name: String) {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let found = TestFolders(["\(path)\(name)", "\(path)/np-2"])
        #expect(found.files == ["\(path)/np-2/test.yaml"])
        #expect(found.missing.map { $0.location?.file } == ["\(path)\(name)"])
        let outcome = TestOutcome(missing: found.missing[0])
        #expect(outcome.isUnusable && outcome.name == "\(path)\(name)")
    }
}
