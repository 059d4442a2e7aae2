import Testing

@testable import Datapath

@Suite("the bpffs of the host and others")
struct BPFFilesystemTests {
    private static func mount(_ optional: String, device: String = "0:39") throws -> MountTable.Mount {
        try #require(
            MountTable.Mount(line: "48 23 \(device) / /sys/fs/bpf rw,relatime \(optional)- bpf bpffs rw,mode=700"))
    }

    @Test("a line of mountinfo is read with its optional fields, and blanks in its path")
    func line() throws {
        let mount = try Self.mount("shared:7 master:3 ")
        #expect(mount.device == "0:39" && mount.point == "/sys/fs/bpf" && mount.type == "bpf" && mount.isPropagated)
        #expect(try !Self.mount("").isPropagated)
        #expect(MountTable.Mount(line: #"1 2 0:3 / /a\040b rw - bpf none rw"#)?.point == "/a b")
        for text in ["", "48 23 0:39 / /sys/fs/bpf rw,relatime", "a b c d e f g h", "48 23 0:39 / /x rw -"] {
            #expect(MountTable.Mount(line: text) == nil)
        }
    }

    @Test("the same file system in process 1's table is the host's, whatever its propagation; another one is private")
    func host() throws {
        let own = try Self.mount("")
        #expect(!BPFFilesystem.isPrivate(own, host: [try Self.mount("shared:1 ")], seesHost: true))
        #expect(BPFFilesystem.isPrivate(own, host: [try Self.mount("", device: "0:40")], seesHost: true))
        let sameNumberOtherType = MountTable.Mount(line: "1 2 0:39 / /x rw - tmpfs none rw")
        #expect(BPFFilesystem.isPrivate(own, host: [try #require(sameNumberOtherType)], seesHost: true))
    }

    @Test("in a container that does not see the host's processes only propagation tells")
    func container() throws {
        let own = try Self.mount("")
        #expect(BPFFilesystem.isPrivate(own, host: [own], seesHost: false))
        let slave = try Self.mount("master:5 ")
        #expect(!BPFFilesystem.isPrivate(slave, host: [slave], seesHost: false))
        #expect(BPFFilesystem.isPrivate(own, host: [], seesHost: true), "a table that cannot be read says nothing")
    }

    @Test("the mask of effective capabilities is read")
    func capabilities() {
        #expect(Capability.effective(in: "Name:\tx\nCapEff:\t000001fffeffffff\nCapBnd:\t0\n") == 0x1ff_feff_ffff)
        #expect(Capability.effective(in: "CapEff:\tnothing") == nil)
        #expect(Capability.effective(in: "") == nil)
        #expect(Capability.missing(in: 0) == [.netAdmin, .sysPtrace, .sysAdmin, .perfmon, .bpf])
        #expect(Capability.missing(in: 1 << 39 | 1 << 38 | 1 << 12) == [.sysPtrace, .sysAdmin])
        #expect(Capability.missing(in: 1 << 21 | 1 << 12) == [.sysPtrace])
        #expect(Capability.missing(in: 1 << 21 | 1 << 19 | 1 << 12) == [])
        #expect(Capability.allCases.filter(\.isOptional) == [.sysPtrace])
        #expect(Capability.missing(in: .max) == [])
    }
}
