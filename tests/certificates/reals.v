(* The real numbers of Coq's library are an ordered field with powers, as the library of certificates asks for. *)
From Coq Require Import Reals Lra.
From Symconv Require Import Powers Slopes.
Open Scope R_scope.
Definition ring_R : CRing := {| car := R; laws := RTheory |}.
Definition field_R : CField := {| base := ring_R; inj n := IZR n : ring_R; recip n := / IZR n : ring_R; inj_1 := eq_refl;
  inj_add := plus_IZR; inj_mul := mult_IZR; recip_spec n H := Rinv_r (IZR n) (not_0_IZR n H) |}.
Definition leb (a b : R) : bool := if Rle_dec a b then true else false.
Lemma leb_iff a b : leb a b = true <-> a <= b.
Proof. unfold leb. destruct (Rle_dec a b); split; auto; discriminate. Qed.
Definition order_R : Order R.
Proof.
  refine {| le := leb |}; intros; rewrite ?leb_iff in *; try lra.
  destruct (Rle_dec y x); auto. assert (leb x y = true) by (apply leb_iff; lra). congruence.
Defined.
Definition reals : OField.
Proof.
  refine {| values := field_R; order_of := order_R; inverse x := / (x : R) |}; cbn.
  - lra.
  - intros a b c. rewrite !leb_iff. lra.
  - intros a b. rewrite !leb_iff. apply Rmult_le_pos.
  - apply Rinv_r.
Defined.
Definition raised (x p : R) : R := if Req_EM_T x 0 then 0 else Rpower x p.
Lemma raised_0 p : raised 0 p = 0. Proof. unfold raised. destruct (Req_EM_T 0 0); lra. Qed.
Lemma raised_pos x p : x <> 0 -> raised x p = Rpower x p. Proof. unfold raised. destruct (Req_EM_T x 0); tauto. Qed.
Lemma Rpower_pos x p : 0 < Rpower x p. Proof. apply exp_pos. Qed.
Definition powers : Powers reals.
Proof.
  refine {| real_power := (raised : reals -> reals -> reals) |}; cbn; intros a.
  - intros p. rewrite !leb_iff. intros. destruct (Req_dec a 0) as [->|N]; [rewrite raised_0; lra|].
    rewrite raised_pos by auto. pose proof (Rpower_pos a p). lra.
  - intros b p. rewrite !leb_iff. intros. destruct (Req_dec a 0) as [->|N].
    + rewrite raised_0. destruct (Req_dec b 0) as [->|M]; [rewrite raised_0; lra|].
      rewrite raised_pos by auto. pose proof (Rpower_pos b p). lra.
    + rewrite !raised_pos by lra. apply Rle_Rpower_l; lra.
  - intros b p. rewrite !leb_iff. intros. destruct (Req_dec a 0) as [->|N]; [rewrite Rmult_0_l, raised_0; lra|].
    destruct (Req_dec b 0) as [->|M]; [rewrite Rmult_0_r, raised_0; lra|].
    rewrite !raised_pos by (auto; apply Rmult_integral_contrapositive; auto). symmetry. apply Rpower_mult_distr; lra.
  - intros p. rewrite !leb_iff. intros. destruct (Req_dec a 0) as [->|N]; [rewrite !raised_0; auto|].
    pose proof (Rpower_pos a p). rewrite (raised_pos a) by auto. rewrite raised_pos by lra.
    rewrite Rpower_mult, Rinv_r by auto. apply Rpower_1. lra.
  - rewrite !leb_iff. intros. destruct (Req_dec a 0) as [->|N]; [apply raised_0|].
    rewrite raised_pos by auto. apply Rpower_1. lra.
  - intros p q. rewrite !leb_iff. intros. rewrite !raised_pos by lra. apply Rpower_plus.
  - intros p q. rewrite !leb_iff. intros A [H| ->]; [|lra]. rewrite !raised_pos by lra. apply Rle_Rpower; lra.
Defined.

(* Their derivatives are limits of difference quotients, and their powers of e and logarithms have the laws. *)
Definition slopes : Slopes reals.
Proof.
  refine {| slope := derivable_pt_lim : (reals -> reals) -> reals -> reals -> Prop |}; cbn.
  - intros f x d e. apply uniqueness_limite.
  - intros f g x d H F e P. destruct (F e P) as [r R]. exists r. intros h N S. rewrite <- !H. auto.
  - intros c x. apply derivable_pt_lim_const.
  - intros x. apply derivable_pt_lim_id.
  - intros f g x d e. apply derivable_pt_lim_plus.
  - intros f g x d e. apply derivable_pt_lim_mult.
  - intros f g x d e. apply derivable_pt_lim_comp.
Defined.
Definition elementary : Elementary reals slopes.
Proof.
  refine {| Slopes.exp := Rtrigo_def.exp : reals -> reals; Slopes.ln := Rpower.ln : reals -> reals |}; cbn; intros x.
  - rewrite leb_iff. pose proof (exp_pos x). split; lra.
  - apply derivable_pt_lim_exp.
  - rewrite leb_iff. intros. apply derivable_pt_lim_ln. lra.
  - apply Rpower.ln_exp.
  - intros y. rewrite !leb_iff. intros. apply ln_mult; lra.
Defined.
