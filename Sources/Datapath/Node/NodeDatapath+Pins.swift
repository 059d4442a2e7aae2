extension NodeDatapath {
    /// Makes the folders of the instance again, and pins its maps, where somebody has removed them; links are pinned by who attaches them.
    /// Without pins nothing of it is older than this process gets: programs that find no steps drop everything, and hooks without links
    /// are open.
    func restorePins() throws(BPFError) {
        guard let pins = options.pins else { return }
        let missing = pinnedMaps.filter { !Libbpf.isThere("\(pins.folder)/\($0.name)") }
        guard !missing.isEmpty || !Libbpf.isThere(pins.links) else { return }
        try pins.create()
        for map in missing { try Libbpf.pin(map.fd, map.name, at: "\(pins.folder)/\(map.name)") }
    }
}
