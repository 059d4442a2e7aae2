import Foundation
import Testing

/// scripts/version.sh, in repositories made for it.
@Suite("The version of a tree")
struct VersionScriptTests {
    /// Runs lines of a shell in an empty repository with the script and a base of 1.2.0; what each `version` printed.
    private func versions(base: String = "1.2.0", _ lines: String) throws -> [String] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "netpold-version-\(UUID().uuidString)")
            .path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let repository = DeployTools.repository.path()
        let script = """
            set -eu
            cd \(folder)
            mkdir -p scripts Sources/netpold/Terminal
            cp \(repository)/scripts/version.sh scripts/
            cp \(repository)/.gitattributes .
            echo '    static let base = "\(base)"' >Sources/netpold/Terminal/NetpoldVersion.swift
            touch --date @1700000000 CHANGELOG.md
            export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_DATE='1600000000 +0000' GIT_COMMITTER_DATE='1600000000 +0000'
            git() { command git -c user.name=n -c user.email=e -c init.defaultBranch=main "$@"; }
            commit() { git add -A; git commit -q --allow-empty -m "$1"; }
            version() { scripts/version.sh "$@" 2>&1 || echo "code $?"; }
            \(lines)
            """
        let run = try DeployTools.run("/bin/bash", ["-c", script])
        #expect(run.code == 0, "\(run.errors)")
        return run.output.split(separator: "\n").map(String.init)
    }

    @Test("a tag is the version; behind it and without one the commit is named; files without git have the base")
    func ofGit() throws {
        let printed = try versions(
            """
            version; version --epoch
            git init -q; commit one; version | sed 's/g[0-9a-f]\\{10\\}$/gCOMMIT/'
            git tag v1.2.0; version; version --debian; version --epoch
            echo more >>CHANGELOG.md; version | sed 's/g[0-9a-f]\\{10\\}/gCOMMIT/'
            commit two; version | sed 's/g[0-9a-f]\\{10\\}$/gCOMMIT/'
            """)
        #expect(
            printed == [
                "1.2.0", "1700000000", "1.2.0+gCOMMIT", "1.2.0", "1.2.0", "1600000000", "1.2.0+0.gCOMMIT.dirty",
                "1.2.0+1.gCOMMIT",
            ])
    }

    @Test("a tag and a source that disagree make no version; a pre-release sorts before the release for Debian")
    func wrongTag() throws {
        let printed = try versions(
            base: "1.3.0-dev",
            "git init -q; commit one; git tag v1.2.0; version; commit two; version --debian | cut -d. -f1-3")
        #expect(
            printed == [
                "version: the commit has the tag v1.2.0, NetpoldVersion.swift says 1.3.0-dev", "code 1", "1.3.0~dev+1",
            ])
    }

    @Test("an archive of git knows what git knew")
    func ofArchive() throws {
        let printed = try versions(
            """
            git init -q; commit one; expected=$(version)
            mkdir -p ../$$.a && git archive HEAD | tar -x -C ../$$.a
            git tag v1.2.0 && mkdir -p ../$$.b && git archive HEAD | tar -x -C ../$$.b
            (cd ../$$.a; [ "$(version)" = "$expected" ] && echo same; version --epoch); (cd ../$$.b; version)
            rm -r ../$$.a ../$$.b
            """)
        #expect(printed == ["same", "1600000000", "1.2.0"])
    }
}
