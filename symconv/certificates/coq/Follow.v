(* How a certificate follows the bijection that symconv found.  Nothing here need be believed: Coq checks what it does. *)
From Symconv Require Export Sums Maxima.

(* Arithmetic of integers. *)
(* What shares no variable with the goal, directly or through others, says nothing of it: the other axes. *)
Ltac on_its_axis :=
  repeat match goal with x : Z |- ?G => match G with context [x] =>
    match goal with H : context [x] |- _ => revert H end end end;
  repeat match goal with H : ?P |- _ => match type of P with Prop => clear H end end; intros.
Ltac floor_is := first [apply floor_intro | symmetry; apply floor_intro]; lia.
Ltac zs := solve [lia | congruence | floor_is | on_its_axis; first [nia | apply Z.le_antisymm; nia]].
(* Two trees that differ in how their indices are written. *)
Ltac alike := cbn beta iota; rewrite ?Z.div_1_r; first [reflexivity | lazymatch goal with |- @eq Z _ _ => zs end
  | apply sum_alike; [alike | intros ?; alike]
  | match goal with |- _ = _ => progress f_equal; alike end].

(* ---- a tree as a sum of terms, in the order in which it is multiplied out -------------------------------------- *)
Ltac split_sum := cbn beta; lazymatch goal with
  | |- sum ?l (fun x => @?f x ⊕ @?g x) = _ => eapply by_trans; [apply (sum_add _ l f g) | apply add_by; split_sum]
  | |- sum _ (fun _ => ?v) = _ => first [eapply by_trans; [apply sum_idle; zs | reflexivity] | reflexivity]
  | _ => reflexivity end.
Ltac spread := lazymatch goal with
  | |- (_ ⊕ _) · _ = _ => eapply by_trans; [apply add_mul | apply add_by; spread]
  | |- sum _ _ · _ = _ => eapply by_trans; [apply sum_mul | eapply sum_by; [intros ?; cbn beta iota; spread | split_sum]]
  | |- _ · (_ ⊕ _) = _ => eapply by_trans; [apply mul_add | apply add_by; spread]
  | |- _ · sum _ _ = _ => eapply by_trans; [apply mul_sum | eapply sum_by; [intros ?; cbn beta iota; spread | split_sum]]
  | _ => reflexivity end.
Ltac guarded := lazymatch goal with
  | |- iv _ (_ ⊕ _) = _ => eapply by_trans; [apply iv_add | apply add_by; guarded]
  | |- iv _ (sum _ _) = _ => eapply by_trans; [apply iv_sum | eapply sum_by; [intros ?; cbn beta iota; guarded | split_sum]]
  | _ => reflexivity end.
Ltac expanded := lazymatch goal with
  | |- _ ⊕ _ = _ => apply add_by; expanded
  | |- _ · _ = _ => eapply mul_by; [expanded | expanded | spread]
  | |- iv _ _ = _ => eapply iv_by; [expanded | guarded]
  | |- sum _ _ = _ => eapply sum_by; [intros ?; cbn beta iota; expanded | split_sum]
  | _ => reflexivity end.

(* Two products under conditions: condition by condition. *)
Ltac numbers := repeat match goal with
  | H : inside _ _ _ = true |- _ => apply inside_iff in H
  | H : inside _ _ _ = false |- _ => apply inside_not in H
  | H : (_ <=? _) = true |- _ => apply Z.leb_le in H
  | H : (_ <=? _) = false |- _ => apply Z.leb_gt in H
  | H : (_ =? _) = true |- _ => apply Z.eqb_eq in H
  | H : (_ =? _) = false |- _ => apply Z.eqb_neq in H end.
Ltac case_of c := lazymatch c with ?a && _ => case_of a | _ => let E := fresh in destruct c eqn:E end.
Ltac scaled := rewrite ?recip_mul by zs;
  repeat progress rewrite ?inj_mul, ?inj_add, ?inj_sub, ?inj_opp, ?inj_neg, ?inj_xO, ?inj_xI, ?inj_1, ?inj_0, ?recip_1; ring.
Ltac leaf := cbn beta iota; cbn [andb iv]; rewrite ?andb_false_r, ?andb_true_r; cbn [andb iv]; first [reflexivity | ring
  | scaled | match goal with |- context [iv ?c _] => case_of c end; leaf | exfalso; numbers; lia].
Ltac each_term := rewrite ?add_assoc; repeat lazymatch goal with |- _ ⊕ _ = _ ⊕ _ => apply add_by end;
  repeat lazymatch goal with |- sum _ _ = sum _ _ => apply sum_ext; intros ? _; cbn beta iota end.

(* The goal: a tree is a sum of terms, each a sum over points of a product on a domain. *)
Ltac terms := rewrite ?sum_points, ?sum_single; cbn beta iota;
  eapply by_trans; [expanded | symmetry; eapply by_trans; [expanded | each_term; leaf]].

(* ---- a bijection ------------------------------------------------------------------------------------------------ *)
Ltac pairs_in_context := repeat match goal with z : (_ * _)%type |- _ => destruct z end; cbn beta iota.
Ltac nodup := repeat first
  [apply nodup_range | apply nodup_points; [|intros; pairs_in_context] | constructor | intros []].
(* What it means to be a point of the domain, as inequalities and equations. *)
Ltac facts := cbn beta iota in *; repeat match goal with
  | H : _ /\ _ |- _ => destruct H
  | H : In _ (points _ _) |- _ => apply in_points in H; cbn beta iota in H
  | H : In _ (range _ _) |- _ => apply in_range in H
  | H : In _ (filter _ _) |- _ => apply filter_In in H; cbn beta iota in H
  | H : _ && _ = true |- _ => apply andb_true_iff in H
  | H : inside _ _ _ = true |- _ => apply inside_iff in H
  | H : (_ <=? _) = true |- _ => apply Z.leb_le in H
  | H : (_ =? _) = true |- _ => apply Z.eqb_eq in H end.
Ltac point := cbn beta iota; repeat (apply in_points; split; cbn beta iota); try apply in_range; first [zs | left; reflexivity].
Ltac domain := cbn beta iota; repeat match goal with
  | |- _ && _ = true => apply andb_true_iff; split
  | |- inside _ _ _ = true => apply inside_iff; split
  | |- (_ <=? _) = true => apply Z.leb_le
  | |- (_ =? _) = true => apply Z.eqb_eq end; first [reflexivity | zs].
Ltac same_point := cbn beta iota; repeat apply (f_equal2 pair); first [reflexivity | zs].
Ltac factors := cbn beta iota; repeat apply (f_equal2 mul); alike.
(* Quotients by d, and divisibilities by it, that are those of w. *)
Ltac exact_is d w := cbn beta iota; repeat match goal with
  | |- context [?n / d] => replace (n / d) with w by (symmetry; apply exact_intro; zs)
  | |- context [dvd d ?n] => replace (dvd d n) with true by (symmetry; apply (dvd_intro d n w); zs) end.
Ltac rounded_is d w := cbn beta iota; repeat match goal with
  |- context [?n / d] => replace (n / d) with w by (symmetry; apply floor_intro; zs) end.
(* The quotient t = n / d of a condition d | n, and n = d t. *)
Ltac exact_quotient d n t E :=
  destruct (dvd_elim d n ltac:(zs) ltac:(assumption)) as [t [? E]]; rewrite ?E in *.
(* The quotient t = n / d, rounded down. *)
Ltac rounded_quotient d n t E := pose proof (floor_spec n d ltac:(zs));
  destruct (ex_intro (fun q => n / d = q) (n / d) eq_refl) as [t E]; rewrite ?E in *.
(* A condition d | n that is given, and one that is to be shown. *)
Ltac divides d n := match goal with H : dvd d n = true |- _ =>
  let E := fresh in apply dvd_elim in H; [destruct H as [? [? E]]; rewrite ?E in * | zs] end.
Ltac divisible d n := first
  [ apply (dvd_intro d n (n / d)); [zs | pose proof (floor_spec n d ltac:(zs)); zs]
  | repeat match goal with H : _ = d * _ |- _ => rewrite H end; apply Z.eqb_eq, Z.mod_divide; [zs|];
    auto 9 using Z.divide_add_r, Z.divide_sub_r, Z.divide_mul_r, Z.divide_mul_l, Z.divide_factor_l, Z.divide_refl].
(* The first of several statements, which is then known for the others. *)
Ltac also tactic := lazymatch goal with |- ?A /\ _ => let K := fresh in assert (K : A); [tactic | split; [exact K|]] end.
(* A size that an equation fixes. *)
Ltac put_in := rewrite ?Z.div_1_r in *.
(* Products factor by factor; maxima over all taps; terms without a point; terms whose coefficients add up. *)
Ltac by_factors := repeat lazymatch goal with |- _ · _ = _ · _ => apply (f_equal2 mul) end.
Ltac all_taps := first [reflexivity | apply maximum_all; intros ?; pairs_in_context; reflexivity].
(* A maximum of maxima as one over their taps. *)
Ltac one_maximum := lazymatch goal with
  | |- max_among _ _ _ = _ => refine (max_points _ _ _ _ _ _ _); intros ?; cbn beta iota; one_maximum
  | |- _ => reflexivity end.
Ltac a_pair := cbn beta iota; repeat first
  [apply in_points; split; cbn beta iota | apply filter_In; split; cbn beta iota | apply (proj2 (in_range _ _ _))];
  first [left; reflexivity | domain].
Ltac same_pair := intros; pairs_in_context; cbn [fst snd] in *; facts; split; [a_pair | reflexivity].
Ltac no_point := cbn beta iota; match goal with |- iv ?c _ = zero =>
  let E := fresh in destruct c eqn:E; [|reflexivity] end; facts.
Ltac added_up := first [reflexivity | ring | scaled | alike].
