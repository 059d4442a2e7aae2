import Foundation

/// `embed-bpf SOURCE ABI_INCLUDE_DIR OUTPUT.swift NAME`: compiles one BPF C file and writes the object as the Swift constant
/// `NAME.base64`.
///
/// Runs inside `swift build`. Says what is missing and how to get it when the machine cannot do it.
@main
struct EmbedBPFTool {
    static func main() {
        do {
            let arguments = CommandLine.arguments
            guard arguments.count == 5 else {
                throw Failure("usage: embed-bpf SOURCE ABI_INCLUDE_DIR OUTPUT.swift NAME")
            }
            let clang = try findClang()
            let object = try compile(source: arguments[1], abi: arguments[2], with: clang)
            try render(object, as: arguments[4]).write(toFile: arguments[3], atomically: true, encoding: .utf8)
        } catch {
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            exit(1)
        }
    }

    /// The first clang on the way (NETPOLD_CLANG, the toolchain's, PATH) that has the bpf target.
    private static func findClang() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        var candidates: [String] = environment["NETPOLD_CLANG"].map { [$0] } ?? []
        candidates += (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/clang" }
        candidates += ["/opt/swift/usr/bin/clang", "/usr/bin/clang"]
        let present = candidates.filter { FileManager.default.isExecutableFile(atPath: $0) }
        for candidate in present where try run(candidate, ["--print-targets"]).output.contains("bpf ") {
            return candidate
        }
        throw Failure(
            """
            no clang with the bpf target found (tried: \(present.isEmpty ? "none present" : present.joined(separator: ", "))). \
            A Swift 6 toolchain from swift.org brings one beside swiftc; or: apt-get install clang; or set NETPOLD_CLANG.
            """)
    }

    private static func compile(source: String, abi: String, with clang: String) throws -> Data {
        for (header, package) in [("bpf/bpf_helpers.h", "libbpf-dev"), ("linux/bpf.h", "linux-libc-dev")]
        where !FileManager.default.fileExists(atPath: "/usr/include/\(header)") {
            throw Failure("/usr/include/\(header) is missing: apt-get install \(package)")
        }
        let object = NSTemporaryDirectory() + "netpold-\(ProcessInfo.processInfo.processIdentifier).bpf.o"
        defer { try? FileManager.default.removeItem(atPath: object) }
        #if arch(x86_64)
            let multiarch = "/usr/include/x86_64-linux-gnu"
        #else
            let multiarch = "/usr/include/aarch64-linux-gnu"
        #endif
        // Swift's clang 21 moves what is unlikely into functions of their own (np_from_pod.cold.1), which libbpf refuses;
        // -hot-cold-split=false does not stop it, no gain being large enough does. Until that clang leaves bpf alone.
        let result = try run(
            clang,
            [
                "-target", "bpf", "-mcpu=v3", "-O2", "-g", "-std=gnu11", "-Wall", "-Wextra", "-Werror",
                "-mllvm", "-hotcoldsplit-threshold=1000000", "-I", abi, "-idirafter", multiarch, "-c", source, "-o",
                object,
            ])
        guard result.status == 0 else { throw Failure("\(clang) could not compile \(source):\n\(result.output)") }
        return try Data(contentsOf: URL(fileURLWithPath: object))
    }

    /// A string literal compiles in no time; an array literal of the same bytes takes the compiler a minute.
    private static func render(_ object: Data, as name: String) -> String {
        """
        // Written by embed-bpf during the build. \(object.count) bytes of ELF, base64.
        enum \(name) {
            static let base64: StaticString = "\(object.base64EncodedString())"
        }

        """
    }

    private static func run(_ executable: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}

/// A message for the builder.
private struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
