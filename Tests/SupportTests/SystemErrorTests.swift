import Glibc
import Support
import SystemPackage
import Testing

@Suite("System errors")
struct SystemErrorTests {
    @Test("what was tried, on what, the system's sentence or a better one, and what to do")
    func text() {
        #expect("\(SystemError("bind", "/x", .permissionDenied))" == "bind /x: Permission denied")
        #expect(
            "\(SystemError("bind", "/x", .permissionDenied, hint: "ask root"))"
                == "bind /x: Permission denied; ask root")
        #expect("\(SystemError("add route", "/x", nil, detail: "Object exists"))" == "add route /x: Object exists")
        #expect("\(SystemError("remove", "/x", nil))" == "remove /x")
    }

    @Test(
        "a C call that a signal interrupts is made again; the number of one that fails is kept, whatever the text costs"
    )
    func interrupted() throws {
        var calls = 0
        let answer = try SystemError.check("read", "x") { () -> Int32 in
            calls += 1
            Glibc.errno = EINTR
            return calls < 3 ? -1 : 7
        }
        #expect(answer == 7)
        #expect(calls == 3)
        #expect(throws: SystemError("read", "x", .noSpace)) {
            func object() -> String {
                Glibc.errno = EIO
                return "x"
            }
            try SystemError.check("read", object()) { () -> Int32 in
                Glibc.errno = ENOSPC
                return -1
            }
        }
    }

    @Test("what swift-system throws gets the name of what it was for")
    func wrapped() {
        #expect(throws: SystemError("open", "/nowhere/x", .noSuchFileOrDirectory)) {
            try SystemError.wrap("open", "/nowhere/x") { _ = try OwnedDescriptor(opening: "/nowhere/x", .readOnly) }
        }
    }
}
